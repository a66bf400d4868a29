import LeaseholdCore
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Pitchly

@Suite("The GraphQL client")
struct PitchlyClientTests {
    @Test("sends the token as Bearer and reads the answer")
    func request() async throws {
        try await RawServer.withServer([.readRequest, .send(Self.json(Self.oneTable)), .close]) { server in
            let table = try await Self.read(server)
            #expect(
                table
                    == PitchlyTable(
                        id: "t1",
                        name: "Clients",
                        fields: [PitchlyField(id: "f1", name: "f1", type: "text")]
                    )
            )
            let head = server.received[0].lowercased()
            #expect(head.hasPrefix("post /graphql http/1.1\r\n"))
            #expect(head.contains("\r\nauthorization: bearer token-1\r\n"))
            #expect(head.contains("\r\ncontent-type: application/json\r\n"))
        }
    }

    @Test("keeps its connection for the next request")
    func keepAlive() async throws {
        let answer = RawServer.Step.send(Self.json(Self.oneTable, connection: "keep-alive"))
        let twice = [RawServer.Step.readRequest, answer, .forget, .readRequest, answer, .hold]
        try await RawServer.withServer(twice) { server in
            try await Self.withClient(server) { client in
                _ = try await client.read(try PlatformDialect().table(id: "t1"))
                _ = try await client.read(try PlatformDialect().table(id: "t1"))
            }
            #expect(server.received.count == 1)
        }
    }

    @Test("asks for a newer token when the API refuses one, and goes on with it")
    func refreshedToken() async throws {
        let refused = Self.json(#"{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}],"data":null}"#)
        let tokens = Tokens()
        let script = [
            RawServer.Step.readRequest, .answer { $0.contains("token-2") ? Self.json(Self.oneTable) : refused }, .close,
        ]
        try await RawServer.withServer(script) { server in
            let table = try await Self.read(server, tokens: tokens)
            #expect(table?.id == "t1")
            #expect(tokens.asked == [nil, 1])
        }
    }

    @Test("fails clearly when there is no newer token, without asking again and again")
    func noNewerToken() async throws {
        let refused = Self.json(
            #"{"errors":[{"message":"token-1 is bad","extensions":{"code":"UNAUTHENTICATED"}}],"data":null}"#
        )
        let tokens = Tokens(last: 1)
        try await RawServer.withServer([.readRequest, .send(refused), .close]) { server in
            let error = await Self.error(server, tokens: tokens)
            #expect(error?.kind == .unauthenticated)
            #expect(tokens.asked == [nil, 1])
            #expect(error?.description.contains("token-1") == false)
            #expect(error?.message.contains("<redacted> is bad") == true)
        }
    }

    @Test("fails when the newer token is refused too")
    func bothRefused() async throws {
        try await RawServer.withServer([
            .readRequest, .send("HTTP/1.1 401 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), .close,
        ]) {
            server in
            let error = await Self.error(server, tokens: Tokens())
            #expect(error?.kind == .unauthenticated)
            #expect(server.received.count == 2)
        }
    }

    @Test(
        "classifies what is not an answer by what a person has to do",
        arguments: [
            ("HTTP/1.1 429 Slow\r\nRetry-After: 17\r\nContent-Length: 0\r\n\r\n", PitchlyError.Kind.throttled, 17.0),
            ("HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n", .unavailable, 2.0),
            (
                "HTTP/1.1 503 Busy\r\nRetry-After: Thu, 01 Jan 2026 00:01:00 GMT\r\nContent-Length: 0\r\n\r\n",
                .unavailable, 60.0
            ),
            ("HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\n<html>", .unavailable, nil),
            ("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", .malformed, nil),
            ("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", .malformed, nil),
            ("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"data\":{\"t", .malformed, nil),
            ("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"data\":", .unreachable, nil),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", .malformed, nil),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", .malformed, nil),
            ("", .unreachable, nil),
        ] as [(String, PitchlyError.Kind, Double?)]
    )
    func transportFaults(answer: String, kind: PitchlyError.Kind, after: Double?) async throws {
        try await RawServer.withServer([.readRequest, .send(answer), .close]) { server in
            let error = await Self.error(server)
            #expect(error?.kind == kind)
            #expect(error?.retryAfter?.seconds == after)
            #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
            #expect(error?.description.contains("token-1") == false)
            #expect(error?.description.contains("html>") == false)
        }
    }

    @Test("names host, status, content type and what to do for an HTML page")
    func htmlPage() async throws {
        let html =
            "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 13\r\n\r\n<html></html>"
        try await RawServer.withServer([.readRequest, .send(html), .close]) { server in
            let error = try #require(await Self.error(server))
            #expect(
                error.message
                    == "expected a GraphQL answer to table from 127.0.0.1:\(server.port), got status 200, "
                    + "content type text/html; charset=utf-8, 13 bytes; expected an object at byte 0"
            )
            #expect(error.hint?.contains("LEASEHOLD_PITCHLY_API_URL") == true)
        }
    }

    @Test(
        "classifies GraphQL errors of both generations",
        arguments: [
            (#"{"message":"m","extensions":{"code":"FORBIDDEN"}}"#, PitchlyError.Kind.forbidden),
            (#"{"message":"m","name":"GQLError","data":{"error":"not-authorized","reason":"r"}}"#, .forbidden),
            (#"{"message":"m","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}"#, .invalidDocument),
            (#"{"message":"m","extensions":{"code":"BAD_USER_INPUT"}}"#, .invalidArgument),
            (#"{"message":"m","extensions":{"code":"RATE_LIMITED"}}"#, .throttled),
            (#"{"message":"m","extensions":{"code":"INTERNAL_SERVER_ERROR"}}"#, .server),
            (#"{"message":"m"}"#, .server), (#""odd""#, .server),
            (#"{"message":"a"},{"message":"m","extensions":{"code":"UNAUTHENTICATED"}}"#, .unauthenticated),
        ]
    )
    func graphQLErrors(fault: String, kind: PitchlyError.Kind) async throws {
        for data in ["null", #"{"table":null}"#, #"{"table":{"id":"t1","fields":[]}}"#] {
            let body = #"{"data":\#(data),"errors":[\#(fault)]}"#
            try await RawServer.withServer([.readRequest, .send(Self.json(body)), .close]) { server in
                #expect(await Self.error(server, tokens: Tokens(last: 1))?.kind == kind)
            }
        }
    }

    @Test("repeats a passing failure a little later, and only so often")
    func repeats() async throws {
        let bad = "HTTP/1.1 502 Bad\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        let flaky = [RawServer.Step.readRequest, .send(bad), .close]
        try await RawServer.withServer(flaky) { server in
            let error = await Self.error(server) { $0.repeats = 2 }
            #expect(error?.kind == .unavailable)
            #expect(server.received.count == 3)
        }
        let answers = Mutex([Self.json(Self.oneTable), bad])
        try await RawServer.withServer([.readRequest, .answer { _ in answers.withLock { $0.removeLast() } }, .close]) {
            server in
            let table = try await Self.read(server) { $0.repeats = 2 }
            #expect(table?.id == "t1")
        }
    }

    @Test("leaves an API alone that asks for a long rest, also with the next request")
    func noRepeatWhenThrottled() async throws {
        let rest = "HTTP/1.1 429 Slow\r\nRetry-After: 60\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        try await RawServer.withServer([.readRequest, .send(rest), .close]) { server in
            try await Self.withClient(server, change: { $0.repeats = 2 }) { client in
                for _ in 1...2 {
                    let error = await #expect(throws: PitchlyError.self) {
                        try await client.read(try PlatformDialect().table(id: "t1"))
                    }
                    #expect(error?.kind == .throttled)
                    #expect(error?.retryAfter ?? .zero > .seconds(30))
                }
            }
            #expect(server.received.count == 1)
        }
    }

    @Test("gives up at its timeout, also when the body never ends")
    func timeout() async throws {
        let endless = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"
        for script in [[RawServer.Step.readRequest, .hold], [.readRequest, .send(endless), .hold]] {
            let clock = TestClock()
            try await RawServer.withServer(script) { server in
                async let error = Self.error(server, clock: clock)
                await server.waitForHold()
                await clock.sleepers(1)
                clock.advance(by: .seconds(60))
                let found = await error
                #expect(found?.kind == .unreachable)
                #expect(found?.message.contains("within 60") == true)
            }
        }
    }

    @Test("ends at once when its task is cancelled")
    func cancelled() async throws {
        try await RawServer.withServer([.readRequest, .hold]) { server in
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await Self.read(server) }
                await server.waitForHold()
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
        }
    }
}

extension PitchlyClientTests {
    private static let oneTable =
        #"{"data":{"table":{"id":"t1","name":"Clients","fields":[{"id":"f1","name":null,"type":"text"}]}}}"#

    private static func json(_ body: String, connection: String = "close") -> String {
        "HTTP/1.1 200 OK\r\nConnection: \(connection)\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private static func read(
        _ server: RawServer,
        tokens: Tokens = Tokens(),
        clock: any Clock<Duration> = ContinuousClock(),
        change: (inout PitchlyAPI.Configuration) -> Void = { _ in }
    ) async throws -> PitchlyTable? {
        try await withClient(server, tokens: tokens, clock: clock, change: change) { client in
            try await client.read(try PlatformDialect().table(id: "t1"))
        }
    }

    private static func error(
        _ server: RawServer,
        tokens: Tokens = Tokens(),
        clock: any Clock<Duration> = ContinuousClock(),
        change: (inout PitchlyAPI.Configuration) -> Void = { _ in }
    ) async -> PitchlyError? {
        do {
            let table = try await read(server, tokens: tokens, clock: clock, change: change)
            Issue.record("expected an error, got \(String(describing: table))")
            return nil
        } catch {
            return error as? PitchlyError
        }
    }

    private static func withClient<Result>(
        _ server: RawServer,
        tokens: Tokens = Tokens(),
        clock: any Clock<Duration> = ContinuousClock(),
        change: (inout PitchlyAPI.Configuration) -> Void = { _ in },
        _ body: (PitchlyClient) async throws -> Result
    ) async throws -> Result {
        var configuration = PitchlyAPI.Configuration(url: try PitchlyURL("\(server.url)/graphql", setting: "api"))
        configuration.repeats = 0
        configuration.repeatDelay = .milliseconds(1)
        change(&configuration)
        return try await PitchlyTransport.withTransport { transport in
            let api = PitchlyAPI(
                configuration: configuration,
                dialect: try PlatformDialect(),
                transport: transport,
                ambience: .init(clock: clock, wallClock: ManualWallClock(), random: RandomSource(seed: 1))
            )
            let client = api.client(for: try TenantID("tenant"), tokens: tokens, logger: Logger(label: "test"))
            return try await body(client)
        }
    }
}

/// Gives `token-1`, then a newer one for each refused, up to a last.
final class Tokens: AccessTokenProvider {
    private let last: Int64
    private let state = Mutex((generation: Int64(1), asked: [Int64?]()))

    init(last: Int64 = 100) { self.last = last }

    var asked: [Int64?] { state.withLock { $0.asked } }

    func accessToken(replacing failedGeneration: Int64?) async throws -> PitchlyAccessToken {
        let generation = state.withLock { state in
            state.asked.append(failedGeneration)
            if failedGeneration == state.generation { state.generation = min(state.generation + 1, last) }
            return state.generation
        }
        return PitchlyAccessToken(token: Secret("token-\(generation)"), generation: generation)
    }
}
