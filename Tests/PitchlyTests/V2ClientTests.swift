import FakePitchly
import TestSupport
import Testing

@testable import Pitchly

@Suite("The dialect v2 against the fake Pitchly")
struct V2ClientTests {
    @Test("shows databases and fields as they are, and nothing of others")
    func listing() async throws {
        try await FakePitchlyClientTests.withClient(.v2) { world in
            let organization = try world.server.organization(world.organization)
            #expect(world.dialect.workspaces() == nil)
            let id = String(world.organization.dropFirst(3))
            let workspace = try await world.client.read(world.dialect.tables(workspace: id))
            #expect(workspace?.tables.map(\.id) == organization.tables.map { String($0.id.dropFirst(3)) })
            #expect(workspace?.tables.map(\.name) == organization.tables.map(\.name))
            let first = try #require(workspace?.tables.first)
            let table = try await world.client.read(world.dialect.table(id: first.id))
            #expect(table?.fields.map(\.name) == organization.tables[0].fields.map(\.name))
            #expect(table?.fields.map(\.id) == organization.tables[0].fields.map { String($0.id.dropFirst(3)) })
            #expect(try await world.client.read(world.dialect.table(id: "none")) == nil)
            let error = await #expect(throws: PitchlyError.self) {
                try await world.client.read(world.dialect.tables(workspace: "none"))
            }
            #expect(error?.kind == .forbidden)
        }
    }

    @Test("a refused token is replaced, once, though the API says that a permission is missing")
    func refusedToken() async throws {
        try await FakePitchlyClientTests.withClient(.v2) { world in
            let table = try #require(try world.server.organization(world.organization).tables.first)
            let page = world.dialect.page(PageRequest(table: String(table.id.dropFirst(3)), cursor: nil, size: 10))
            world.server.faults.add(FaultRule(.graphQL(.unauthenticated(invalidates: true)), at: .v2))
            #expect(try await world.client.read(page).records.count == 10)
            #expect(world.tokens.asked == [nil, 1])
            var rule = FaultRule(.graphQL(.errors(["not-authorized"], keepsData: false)), at: .v2)
            rule.count = nil
            world.server.faults.add(rule)
            let error = await #expect(throws: PitchlyError.self) { try await world.client.read(page) }
            #expect(error?.kind == .forbidden)
            #expect(world.tokens.asked == [nil, 1, nil, 2])
        }
    }

    @Test("rows come in pages, with the count, to the end")
    func pages() async throws {
        try await FakePitchlyClientTests.withClient(.v2) { world in
            let table = try #require(try world.server.organization(world.organization).tables.first)
            var ids: [String] = []
            var cursor: String?
            repeat {
                let request = PageRequest(table: String(table.id.dropFirst(3)), cursor: cursor, size: 7)
                let page = try await world.client.read(world.dialect.page(request))
                #expect(page.totalCount == table.recordCount)
                ids += page.records.map(\.id)
                cursor = page.nextCursor
            } while cursor != nil
            #expect(ids.count == table.recordCount && Set(ids).count == ids.count)
            let last = world.dialect.page(
                PageRequest(table: String(table.id.dropFirst(3)), cursor: "5.0:x", size: 7)
            )
            world.server.faults.add(FaultRule(.graphQL(.expiredCursor), at: .v2))
            let error = await #expect(throws: PitchlyError.self) { try await world.client.read(last) }
            #expect(error?.kind == .invalidArgument)
        }
    }
}
