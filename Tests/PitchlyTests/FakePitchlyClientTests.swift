import FakePitchly
import LeaseholdCore
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Pitchly

@Suite("Against the fake Pitchly")
struct FakePitchlyClientTests {
    @Test(
        "each fault of the API is told apart",
        arguments: [
            (.answer(.init(status: 429, retryAfter: .seconds(3)), .before), .throttled, .seconds(3)),
            (.answer(.init(status: 503, retryAfter: .seconds(4), body: .html), .before), .unavailable, .seconds(4)),
            (.answer(.init(status: 502, body: .html), .before), .unavailable, nil),
            (.answer(.init(status: 500, body: .empty), .after), .unavailable, nil),
            (.answer(.init(status: 200, body: .html), .before), .malformed, nil),
            (.answer(.init(status: 403, body: .html), .before), .malformed, nil),
            (.answer(.init(status: 200, body: .empty), .before), .malformed, nil),
            (.close(.before, isReset: false), .unreachable, nil), (.close(.after, isReset: true), .unreachable, nil),
            (.cut(.body(after: 40)), .unreachable, nil), (.cut(.chunkedBody(after: 40)), .unreachable, nil),
            (.cut(.message(after: 25)), .unreachable, nil), (.graphQL(.malformedJSON), .malformed, nil),
            (.graphQL(.errors(["FORBIDDEN"], keepsData: false)), .forbidden, nil),
            (.graphQL(.errors(["INTERNAL_SERVER_ERROR", "FORBIDDEN"], keepsData: true)), .forbidden, nil),
            (.graphQL(.errors(["INTERNAL_SERVER_ERROR"], keepsData: true)), .server, nil),
            (.graphQL(.expiredCursor), .invalidArgument, nil),
        ] as [(Fault, PitchlyError.Kind, Duration?)]
    )
    func faults(fault: Fault, kind: PitchlyError.Kind, retryAfter: Duration?) async throws {
        try await Self.withClient { world in
            let table = try #require(try world.server.organization(world.organization).tables.first)
            let first = try await world.client.read(
                world.dialect.page(PageRequest(table: table.id, cursor: nil, size: 10))
            )
            let second = world.dialect.page(PageRequest(table: table.id, cursor: first.nextCursor, size: 10))
            var rule = FaultRule(fault, at: .graphql)
            rule.count = nil
            world.server.faults.add(rule)
            let error = await #expect(throws: PitchlyError.self) { try await world.client.read(second) }
            #expect(error?.kind == kind, "\(String(describing: error))")
            #expect(error?.retryAfter == retryAfter)
            for secret in world.server.secrets { #expect(error?.description.contains(secret) == false) }
            world.server.faults.removeAll()
            #expect(try await world.client.read(second).records.count == 10)
        }
    }

    @Test("a token that is refused in the middle is replaced, and nobody notices")
    func earlyUnauthenticated() async throws {
        try await Self.withClient { world in
            let table = try #require(try world.server.organization(world.organization).tables.first)
            world.server.faults.add(FaultRule(.graphQL(.unauthenticated(invalidates: true)), at: .graphql))
            let page = try await world.client.read(
                world.dialect.page(PageRequest(table: table.id, cursor: nil, size: 10))
            )
            #expect(page.records.count == 10)
            #expect(world.tokens.asked == [nil, 1])
        }
    }

    @Test("an answer that trickles is read whole")
    func trickle() async throws {
        try await Self.withClient { world in
            let table = try #require(try world.server.organization(world.organization).tables.first)
            world.server.faults.add(FaultRule(.trickle(bytes: 700, pause: .zero), at: .graphql))
            let page = try await world.client.read(
                world.dialect.page(PageRequest(table: table.id, cursor: nil, size: 10))
            )
            #expect(page.records.count == 10)
        }
    }

    @Test("workspaces, tables and fields come as they are")
    func listing() async throws {
        try await Self.withClient { world in
            let organization = try world.server.organization(world.organization)
            let workspaces = try await world.client.read(try #require(world.dialect.workspaces()))
            #expect(workspaces.map(\.id) == organization.workspaces.map(\.id))
            let workspace = try await world.client.read(world.dialect.tables(workspace: workspaces[0].id))
            #expect(workspace?.tables.map(\.id) == organization.tables.map(\.id))
            #expect(workspace?.tables.map(\.name) == organization.tables.map(\.name))
            let table = try await world.client.read(world.dialect.table(id: organization.tables[0].id))
            #expect(table?.fields.map(\.name) == organization.tables[0].fields.map(\.name))
            #expect(try await world.client.read(world.dialect.tables(workspace: "wksNone")) == nil)
            #expect(try await world.client.read(world.dialect.table(id: "tblNone")) == nil)
        }
    }

    @Test("every grant is exchanged for tokens that the API takes")
    func grants() async throws {
        try await Self.withClient { world in
            let key = ProofKey()
            let code = try world.server.makeCode(organization: world.organization, codeChallenge: key.challenge)
            let grants: [TokenGrant] = [
                .accessToken(Secret(try world.server.makeSession(organization: world.organization))),
                .refreshToken(Secret(try world.server.makeGrant(organization: world.organization).refreshToken)),
                .authorizationCode(code: Secret(code.code), codeVerifier: key.verifier, redirectURI: code.redirectURI),
                .clientCredentials(organization: world.organization),
            ]
            for grant in grants {
                let reply = await world.oauth.exchange(grant, deadline: .seconds(20))
                guard case .answered(200, let type, _, let body, true) = reply else {
                    Issue.record("\(grant.name): \(reply)")
                    continue
                }
                #expect(type?.contains("json") == true)
                let text = String(decoding: body, as: UTF8.self)
                let token = try #require(text.firstMatch(of: /"access_token":"(plyu_[A-Za-z0-9_-]{43})"/)?.1)
                #expect(world.server.accepts(accessToken: String(token)), "\(grant.name)")
            }
        }
    }
}

extension FakePitchlyClientTests {
    struct World: Sendable {
        let server: FakePitchlyServer
        let client: PitchlyClient
        let oauth: OAuthClient
        let dialect: any PitchlyDialect
        let tokens: FakeGrants
        let organization: String
    }

    static func withClient(
        _ name: DialectName = .platform,
        _ body: (World) async throws -> Void
    ) async throws {
        var fake = FakePitchlyConfiguration()
        fake.data.organizations = 1
        fake.data.largeOrganizations = 0
        fake.data.recordsPerTable = 40...50
        try await FakePitchlyServer.withServer(fake) { server in
            try await PitchlyTransport.withTransport { transport in
                let tokens = FakeGrants(server: server, organization: server.organizationIDs[0])
                let url = name == .v2 ? server.v2URL : server.apiURL
                var configuration = PitchlyAPI.Configuration(url: try PitchlyURL(url, setting: "api"))
                configuration.repeatDelay = .milliseconds(1)
                let dialect = try name.dialect()
                let api = PitchlyAPI(configuration: configuration, dialect: dialect, transport: transport)
                let tenant = try TenantID("tenant")
                let client = api.client(for: tenant, tokens: tokens, logger: Logger(label: "test"))
                let oauth = OAuthClient(
                    configuration: try OAuthConfiguration(
                        origin: PitchlyURL(server.oauthOrigin, setting: "origin"),
                        clientID: server.configuration.oauth.clientID,
                        clientSecret: Secret(server.configuration.oauth.clientSecret)
                    ),
                    transport: transport,
                    logger: Logger(label: "test")
                )
                try await body(
                    World(
                        server: server,
                        client: client,
                        oauth: oauth,
                        dialect: dialect,
                        tokens: tokens,
                        organization: server.organizationIDs[0]
                    )
                )
            }
        }
    }
}

/// A new grant of the fake for each refused token.
final class FakeGrants: AccessTokenProvider {
    private let server: FakePitchlyServer
    private let organization: String
    private let state = Mutex((current: PitchlyAccessToken?.none, asked: [Int64?]()))

    init(server: FakePitchlyServer, organization: String) {
        self.server = server
        self.organization = organization
    }

    var asked: [Int64?] { state.withLock { $0.asked } }

    func accessToken(replacing failedGeneration: Int64?) async throws -> PitchlyAccessToken {
        try state.withLock { state in
            state.asked.append(failedGeneration)
            if let current = state.current, current.generation != failedGeneration { return current }
            let token = PitchlyAccessToken(
                token: Secret(try server.makeGrant(organization: organization).accessToken),
                generation: (state.current?.generation ?? 0) + 1
            )
            state.current = token
            return token
        }
    }
}
