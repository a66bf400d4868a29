import Foundation
import Testing

@testable import FakePitchly

/// The fake's own GraphQL against graphql-core, whose verdicts lie in Fixtures.
@Suite struct GraphQLVerdictTests {
    private func verdicts() throws -> [JSONValue] {
        try #require(try JSONParser.parse(Fixtures.bytes("verdicts.json")).arrayValue)
    }

    private func engine(_ schema: String) throws -> GraphQLEngine {
        let sdl = schema == "v2" ? PackageResources.v2_graphql : PackageResources.platform_graphql
        return try GraphQLEngine(sdl: String(decoding: sdl, as: UTF8.self))
    }

    /// graphql-core quotes with apostrophes and adds suggestions that the fake leaves out.
    private func normalised(_ message: String) -> String {
        var text = message.replacing("'", with: "\"").lowercased()
        if !text.contains("{ ... }"), let suggestion = text.range(of: " did you mean") {
            text = String(text[..<suggestion.lowerBound])
        }
        return text
    }

    @Test func everyDocumentGetsTheVerdictOfGraphQLCore() throws {
        let verdicts = try verdicts()
        try #require(verdicts.count > 70)
        for verdict in verdicts {
            let title = verdict["title"].stringValue ?? ""
            let expected = try #require(verdict["errors"].arrayValue).compactMap(\.stringValue).map(normalised)
            var found: [String] = []
            do throws(GraphQLError) {
                let document = try GraphQLParser.parseRequest(verdict["document"].stringValue ?? "")
                do throws(GraphQLRefusal) {
                    try GraphQLValidator.validate(document, against: engineSchema(verdict))
                } catch {
                    found = error.errors.map(\.message)
                }
            } catch {
                found = [error.message]
            }
            #expect(found.map(normalised).sorted() == expected.sorted(), "\(title)")
        }
    }

    private func engineSchema(_ verdict: JSONValue) -> GraphQLSchema {
        (try? engine(verdict["schema"].stringValue ?? "").schema) ?? GraphQLSchema()
    }

    @Test(arguments: ["platform", "v2"])
    func introspectionGivesBackTheSchema(name: String) throws {
        let query = try #require(
            verdicts().first { $0["title"] == "introspection" }?["document"].stringValue
        )
        let engine = try engine(name)
        let request = try #require(GraphQLRequest(["query": .string(query)]))
        let render = { (error: GraphQLError) in error.json(document: query) }
        let resolve: GraphQLAnswer.Resolve = { field, writer throws(GraphQLError) in
            GraphQLIntrospection(schema: engine.schema).writeSchema(field, &writer)
        }
        let operation = try engine.prepare(request)
        let bytes = GraphQLAnswer.run(operation, typeName: "Query", render: render, resolve: resolve)
        let answered = try JSONParser.parse(bytes)["data"]["__schema"]
        let expected = try JSONParser.parse(Fixtures.bytes("introspection-\(name).json"))["__schema"]
        for root in ["queryType", "mutationType", "subscriptionType"] { #expect(answered[root] == expected[root]) }
        let types = { (schema: JSONValue) in
            Dictionary(
                (schema["types"].arrayValue ?? []).map { ($0["name"].stringValue ?? "", self.essence($0)) },
                uniquingKeysWith: { first, _ in first }
            )
            .filter { !$0.key.hasPrefix("__") }
        }
        let (ours, theirs) = (types(answered), types(expected))
        // graphql-core leaves out built-in scalars that a schema does not use.
        #expect(Set(ours.keys).subtracting(theirs.keys).isSubset(of: ["Float", "Int", "Boolean", "ID", "String"]))
        for (type, essence) in theirs { #expect(ours[type] == essence, "\(type)") }
    }

    /// The built-in scalars have descriptions in other words; the others are asked for in the fixture only.
    private static let leftOut = ["description", "specifiedByURL", "isOneOf", "isDeprecated", "deprecationReason"]

    /// A type without ``leftOut``.
    private func essence(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map(essence))
        case .object(let object):
            .object(
                JSONObject(
                    object.members.filter { !Self.leftOut.contains($0.name) }
                        .map { ($0.name, essence($0.value)) }
                )
            )
        default: value
        }
    }

    @Test func graphQLCoreStillAgreesWithTheFixtures() throws {
        guard try python(["-c", "import graphql"]) == 0 else {
            print("skipped: python3 with graphql-core is not here (pip install graphql-core)")
            return
        }
        #expect(try python([Fixtures.folder.appending(path: "documents.py").path(), "--check"]) == 0)
    }

    @Test(arguments: ["platform", "v2"])
    func graphQLCoreRebuildsTheSchemaFromTheFakesAnswer(name: String) async throws {
        guard try python(["-c", "import graphql"]) == 0 else {
            print("skipped: python3 with graphql-core is not here (pip install graphql-core)")
            return
        }
        let query = try #require(verdicts().first { $0["title"] == "introspection" }?["document"].stringValue)
        let answer = try await withFake { server, client in
            let token = try server.makeSession(organization: server.organizationIDs[0])
            return try await client.graphQL(
                query,
                token: name == "v2" ? nil : token,
                url: name == "v2" ? server.v2URL : server.apiURL
            )
        }
        let file = FileManager.default.temporaryDirectory.appending(path: "fake-\(name)-\(UUID().uuidString).json")
        try Data(answer.body.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let script = Fixtures.folder.appending(path: "documents.py").path()
        #expect(try python([script, "--introspection", file.path(), name]) == 0)
    }

    /// The exit status of a Python run, whose errors go to standard error.
    private func python(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3"] + arguments
        process.standardError = FileHandle.standardError
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
