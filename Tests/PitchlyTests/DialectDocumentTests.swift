import Foundation
import Testing

@testable import Pitchly

@Suite("The documents of a dialect")
struct DialectDocumentTests {
    /// Where python3 finds graphql-core: an implementation of the GraphQL specification that has
    /// nothing to do with ours. `scripts/setup` installs it.
    private static let validator = """
        import sys, json
        from graphql import build_schema, parse, validate
        schema = build_schema(open(sys.argv[1]).read())
        problems = []
        for path in sys.argv[2:]:
            for error in validate(schema, parse(open(path).read())):
                problems.append(path.rsplit("/", 1)[-1] + ": " + error.message)
        print(json.dumps(problems))
        """

    @Test("are valid against the schema that Pitchly is assumed to have", arguments: DialectName.allCases)
    func valid(dialect: DialectName) throws {
        #expect(try problems(dialect) { $0 } == [])
    }

    @Test(
        "would be found invalid with a wrong field",
        arguments: [(.platform, "recordsConnection"), (.v2, "dataCount")] as [(DialectName, String)]
    )
    func invalid(dialect: DialectName, field: String) throws {
        let found = try problems(dialect) { $0.replacing("\(field)(", with: "x\(field)(") }
        #expect(found.contains { $0.contains("x\(field)") })
    }

    @Test("are in the catalogue of their dialect, and are all that it sends", arguments: DialectName.allCases)
    func catalog(dialect: DialectName) throws {
        let known = DialectDocuments.names.filter { $0.hasPrefix("\(dialect.rawValue)_") && $0.hasSuffix(".graphql") }
        let made = try dialect.dialect()
        #expect(type(of: made).catalog.map(\.file).sorted() == known)
    }

    @Test(
        "cannot be replaced by one that does not go with what is sent",
        arguments: [
            ("platform_records.graphql", "query { recordsConnection { a } }", "$after, $tableId", "none"),
            ("platform_records.graphql", "mutation($after: String, $tableId: ID!) { a }", "a query", "a mutation"),
            (
                "platform_records.graphql", "query($after: String, $tableId: ID!, $view: ID!) { a }", "absent",
                "$view without a default"
            ),
            (
                "platform_table.graphql", "query($id: ID!) { table(id: $id { id } }", "brackets that match",
                "a } too many"
            ),
            ("v2_rows.graphql", "query($databaseId: ID!, $skip: Int) { a }", "$accessToken", "$databaseId, $skip"),
        ]
    )
    func badDocument(file: String, text: String, expected: String, got: String) throws {
        let folder = try Folder()
        try folder.write(file, text)
        let documents = try DialectDocuments(folder: folder.path)
        let dialect = try #require(DialectName.allCases.first { file.hasPrefix($0.rawValue) })
        let error = #expect(throws: PitchlySettingError.self) { try dialect.dialect(documents: documents) }
        #expect(error?.setting == file)
        #expect(error?.expected.contains(expected) == true, "\(String(describing: error))")
        #expect(error?.got == got)
        #expect(error?.hint?.contains(DialectDocuments.setting) == true)
    }

    @Test("do without a filter where they declare none")
    func withoutFilter() throws {
        let folder = try Folder()
        let text = DialectDocuments.embedded.text("platform_records.graphql")
            .replacing(", $filter: RecordFilter", with: "").replacing(", filter: $filter", with: "")
        try folder.write("platform_records.graphql", text)
        #expect(try PlatformDialect().filtersByUpdate)
        #expect(try !PlatformDialect(documents: DialectDocuments(folder: folder.path)).filtersByUpdate)
    }

    @Test("are replaced by files of their names, and by no others")
    func replaced() throws {
        let folder = try Folder()
        try folder.write("platform_table.graphql", "query table($id: ID!) { renamed(id: $id) { id } }")
        let documents = try DialectDocuments(folder: folder.path)
        #expect(documents.text("platform_table.graphql").contains("renamed"))
        #expect(
            documents.text("platform_records.graphql") == DialectDocuments.embedded.text("platform_records.graphql")
        )
        try folder.write("platform_tabel.graphql", "query { a }")
        let error = #expect(throws: PitchlySettingError.self) { try DialectDocuments(folder: folder.path) }
        #expect(error?.got == "platform_tabel.graphql")
    }

    @Test("cannot be replaced by a layout that is not one")
    func badLayout() throws {
        let folder = try Folder()
        try folder.write("platform_records.layout.json", #"{"list": "recordsConnection"}"#)
        let documents = try DialectDocuments(folder: folder.path)
        #expect(throws: PitchlySettingError.self) { try PlatformDialect(documents: documents) }
        try folder.write(
            "platform_records.layout.json",
            DialectDocuments.embedded.text("v2_rows.layout.json")
        )
        let uncursored = try DialectDocuments(folder: folder.path)
        let error = #expect(throws: PitchlySettingError.self) { try PlatformDialect(documents: uncursored) }
        #expect(error?.expected.contains("hasNextPage") == true)
    }

    @Test("carry their variables")
    func variables() throws {
        let dialect = try PlatformDialect()
        let page = dialect.page(PageRequest(table: "t\"1", cursor: "c", size: 5, updatedAfter: "2026-01-01T00:00:00Z"))
        let body = try JSONSerialization.jsonObject(with: Data(page.body(token: nil).utf8)) as? [String: Any]
        #expect(body?["query"] as? String == DialectDocuments.embedded.text("platform_records.graphql"))
        let variables = body?["variables"] as? NSDictionary
        #expect(
            variables == [
                "tableId": "t\"1", "first": 5, "after": "c", "filter": ["updatedAfter": "2026-01-01T00:00:00Z"],
            ]
        )
        let rows = try V2Dialect().page(PageRequest(table: "t", cursor: "40.0:r", size: 5))
        let body2 = try JSONSerialization.jsonObject(with: Data(rows.body(token: ("accessToken", "8KC")).utf8))
        #expect(
            (body2 as? [String: Any])?["variables"] as? NSDictionary == [
                "databaseId": "t", "skip": 40, "limit": 5, "accessToken": "8KC",
            ]
        )
    }

    private func problems(_ dialect: DialectName, change: (String) -> String) throws -> [String] {
        let schema = try #require(
            Bundle.module.url(forResource: dialect.rawValue, withExtension: "graphql", subdirectory: "Fixtures")
        )
        let folder = try Folder()
        var paths: [String] = []
        for name in DialectDocuments.names where name.hasPrefix("\(dialect.rawValue)_") && name.hasSuffix(".graphql") {
            paths.append(try folder.write(name, change(DialectDocuments.embedded.text(name))))
        }
        #expect(!paths.isEmpty)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.validator, schema.path] + paths
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "python3 with graphql-core is needed: run scripts/setup")
        return try JSONDecoder().decode([String].self, from: text)
    }
}

/// A folder that is removed with its last reference.
private final class Folder {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("leasehold-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
        return "\(path)/\(name)"
    }
}
