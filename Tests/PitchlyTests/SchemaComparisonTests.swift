import FakePitchly
import Foundation
import LeaseholdCore
import Logging
import Testing

@testable import Pitchly

@Suite("A document against an API's schema")
struct SchemaComparisonTests {
    private struct NoToken: AccessTokenProvider {
        let token: String
        func accessToken(replacing failedGeneration: Int64?) async throws -> PitchlyAccessToken {
            PitchlyAccessToken(token: Secret(token), generation: 1)
        }
    }

    private static func sdl(_ dialect: DialectName) -> String {
        dialect == .v2 ? APISettings.carriedV2Schema : APISettings.carriedPlatformSchema
    }

    /// What an introspection of the fake with this schema gives.
    private func live(_ dialect: DialectName, _ sdl: String) async throws -> SchemaOutline {
        var configuration = FakePitchlyConfiguration()
        configuration.api.platformSchema = dialect == .platform ? sdl : nil
        configuration.api.v2Schema = dialect == .v2 ? sdl : nil
        return try await FakePitchlyServer.withServer(configuration) { server in
            try await PitchlyTransport.withTransport { transport in
                let url = dialect == .v2 ? server.v2URL : server.apiURL
                let api = PitchlyAPI(
                    configuration: .init(url: try PitchlyURL(url, setting: "test")),
                    dialect: try dialect.dialect(),
                    transport: transport
                )
                let token = try server.makeSession(organization: server.organizationIDs[0])
                let tenant = try TenantID("t")
                return try await api.client(for: tenant, tokens: NoToken(token: token), logger: Logger(label: "test"))
                    .read(SchemaProbe.operation)
            }
        }
    }

    private func differences(
        _ dialect: DialectName,
        documents: DialectDocuments = .embedded,
        _ change: (String) -> String = { $0 }
    ) async throws -> [SchemaDifference] {
        let live = try await live(dialect, change(Self.sdl(dialect)))
        let comparison = try SchemaComparison(live: live, dialect: dialect)
        return try type(of: try dialect.dialect()).catalog.flatMap { try comparison.differences(of: $0, in: documents) }
    }

    @Test("fits where the API is as assumed", arguments: DialectName.allCases)
    func fits(dialect: DialectName) async throws {
        #expect(try await differences(dialect) == [])
    }

    @Test("the assumption is the schema of the fixtures", arguments: DialectName.allCases)
    func assumption(dialect: DialectName) throws {
        let url = try #require(
            Bundle.module.url(forResource: dialect.rawValue, withExtension: "graphql", subdirectory: "Fixtures")
        )
        let fixture = try SchemaOutline(sdl: try String(contentsOf: url, encoding: .utf8))
        #expect(try SchemaComparison(live: fixture, dialect: dialect).assumed == fixture)
    }

    struct Change: Sendable, CustomTestStringConvertible {
        let dialect: DialectName
        let old: String
        let new: String
        let gravity: SchemaDifference.Gravity
        let place: String
        let part: String
        var testDescription: String { "\(old) -> \(new)" }

        init(
            _ dialect: DialectName,
            _ old: String,
            _ new: String,
            _ gravity: SchemaDifference.Gravity,
            _ place: String,
            _ part: String
        ) {
            self.dialect = dialect
            self.old = old
            self.new = new
            self.gravity = gravity
            self.place = place
            self.part = part
        }
    }

    @Test(
        "is told apart in exactly the place that changed",
        arguments: [
            Change(
                .platform,
                "recordsConnection(tableId",
                "records(tableId",
                .breaking,
                "Query.recordsConnection",
                "is missing"
            ),
            Change(
                .platform,
                "first: Int,",
                "limit: Int,",
                .breaking,
                "Query.recordsConnection(first:)",
                "it takes after, filter, limit, tableId"
            ),
            Change(
                .platform,
                "first: Int,",
                "first: Int!,",
                .breaking,
                "Query.recordsConnection(first:)",
                "takes Int!, the document gives it $first: Int"
            ),
            Change(
                .platform,
                "first: Int,",
                "first: Int, sort: String!,",
                .breaking,
                "Query.recordsConnection(sort:)",
                "must be given: String!"
            ),
            Change(
                .platform,
                "name: String  type: String!",
                "name: String  kind: String!",
                .breaking,
                "Field.type",
                "is missing"
            ),
            Change(
                .platform,
                "totalCount: Int",
                "totalCount: String",
                .doubtful,
                "RecordsConnection.totalCount",
                "assumed Int"
            ),
            Change(
                .platform,
                "node: Record!",
                "node: [Record!]!",
                .breaking,
                "RecordEdge.node",
                "is [Record!]!, assumed Record!"
            ),
            Change(
                .platform,
                "hasNextPage: Boolean!",
                "hasNextPage: Boolean",
                .nullable,
                "PageInfo.hasNextPage",
                "assumed Boolean!"
            ),
            Change(
                .platform,
                "input CellInput { fieldId: ID!  value: JSON! }",
                "input CellInput { fieldId: ID!  value: JSON!  source: String! }",
                .breaking,
                "CellInput.source",
                "must be given: String!"
            ),
            Change(
                .platform,
                "input RecordFilter { updatedAfter: DateTime }",
                "input RecordFilter { changedAfter: DateTime }",
                .breaking,
                "RecordFilter.updatedAfter",
                "RecordFilter takes changedAfter"
            ),
            Change(
                .platform,
                "value: JSON  stringValue: JSON }",
                "value: Cents  stringValue: JSON }\ntype Cents { cents: Int }",
                .breaking,
                "Cell.value",
                "of which fields must be selected"
            ),
            Change(.v2, "skip: Int", "offset: Int", .breaking, "Query.data(skip:)", "is missing"),
            Change(
                .v2,
                "matchFields: [ID!]!",
                "matchFields: ID!",
                .breaking,
                "Mutation.upsertRow(matchFields:)",
                "takes ID!"
            ),
            Change(
                .v2,
                "type Col { fieldId: ID!",
                "type Col { field: ID!",
                .breaking,
                "Col.fieldId",
                "Col has field, value"
            ),
        ]
    )
    func changes(change: Change) async throws {
        let sdl = Self.sdl(change.dialect)
        try #require(sdl.contains(change.old))
        let found = try await differences(change.dialect) { $0.replacing(change.old, with: change.new) }
        #expect(found.map(\.place) == [change.place], "\(found)")
        #expect(found.first?.gravity == change.gravity)
        #expect(found.first?.message.contains(change.part) == true, "\(found)")
    }

    @Test("is a whole kind that the API does not offer")
    func noMutations() async throws {
        let found = try await differences(.platform) { sdl in
            sdl.replacing(#/(?s)type Mutation \{.*?\n\}\n/#, with: "")
        }
        #expect(found.map(\.place) == ["mutation"])
    }

    @Test("names in a layout must be selected, and fragments are not compared")
    func replaced() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "leasehold-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
        let records = DialectDocuments.embedded.text("platform_records.graphql")
        try write("platform_records.graphql", records.replacing("          stringValue\n", with: ""))
        var found = try await differences(.platform, documents: try DialectDocuments(folder: folder.path))
        #expect(found.map(\.place) == ["platform_records.layout.json"])
        #expect(found.first?.message.contains("recordsConnection.edges.node.fields.stringValue") == true)
        try write("platform_records.graphql", records.replacing("fields {", with: "cells: fields {"))
        found = try await differences(.platform, documents: try DialectDocuments(folder: folder.path))
        #expect(found.count == 3)
        try write(
            "platform_table.graphql",
            "query table($id: ID!) { table(id: $id) { ...T } } fragment T on Table { id name fields { id name type } }"
        )
        let documents = try DialectDocuments(folder: folder.path)
        await #expect(throws: PitchlySettingError.self) { try await differences(.platform, documents: documents) }
    }
}
