import LeaseholdCore
import Logging
import Pitchly
import TestSupport
import Testing

@Suite("A token exchange")
struct OAuthClientTests {
    private static let answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRetry-After: 7\r\nContent-Length: 20\r\n\r\n"
        + #"{"access_token":"a"}"#

    @Test("returns status, headers and bytes of a whole answer")
    func wholeAnswer() async throws {
        let reply = try await Self.exchange([.readRequest, .send(Self.answer), .close])
        #expect(
            reply
                == .answered(
                    status: 200,
                    contentType: "application/json",
                    retryAfter: "7",
                    body: #"{"access_token":"a"}"#,
                    complete: true
                )
        )
    }

    @Test("cut at any byte of the answer is no reply in the head and incomplete in the body")
    func cutAnywhere() async throws {
        let bytes = Array(Self.answer.utf8)
        let headLength = bytes.count - 20
        for cut in 0..<bytes.count {
            let text = String(decoding: bytes.prefix(cut), as: UTF8.self)
            let reply = try await Self.exchange([.readRequest, .send(text), .close])
            switch reply {
            case .noReply: #expect(cut < headLength, "cut at \(cut)")
            case .answered(200, _, _, let body, false):
                #expect(cut >= headLength, "cut at \(cut)")
                #expect(body.utf8.elementsEqual(bytes[headLength..<cut]), "cut at \(cut)")
            default: Issue.record("cut at \(cut): \(reply)")
            }
        }
    }

    @Test("reset instead of closed is classified alike", arguments: [0, 30, 90, 100])
    func reset(cut: Int) async throws {
        let text = String(decoding: Array(Self.answer.utf8).prefix(cut), as: UTF8.self)
        let reply = try await Self.exchange([.readRequest, .send(text), .reset])
        switch reply {
        // A reset may overtake bytes that were sent before it, never add any.
        case .noReply: break
        case .answered(200, _, _, let body, false): #expect(Self.answer.contains(body))
        default: Issue.record("\(reply)")
        }
    }

    @Test("cut inside a chunked body is incomplete with what came")
    func cutChunked() async throws {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let cut = try await Self.exchange([.readRequest, .send(head + "5\r\n{\"acc\r\n6\r\ness"), .close])
        #expect(cut == .answered(status: 200, contentType: nil, retryAfter: nil, body: "{\"access", complete: false))
        let whole = try await Self.exchange([.readRequest, .send(head + "2\r\n{}\r\n0\r\n\r\n"), .close])
        #expect(whole == .answered(status: 200, contentType: nil, retryAfter: nil, body: "{}", complete: true))
    }

    @Test("without length or chunks ends with the connection")
    func closeDelimited() async throws {
        let reply = try await Self.exchange([.readRequest, .send("HTTP/1.1 502 Bad\r\n\r\n<html>"), .close])
        #expect(reply == .answered(status: 502, contentType: nil, retryAfter: nil, body: "<html>", complete: true))
    }

    @Test("longer than the limit keeps the first bytes as incomplete")
    func tooLong() async throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
        let script: [RawServer.Step] = [.readRequest, .send(head + String(repeating: "x", count: 5000)), .close]
        let reply = try await Self.exchange(script) { $0.replyLimit = 1000 }
        let kept = String(repeating: "x", count: 1000)
        #expect(reply == .answered(status: 200, contentType: nil, retryAfter: nil, body: kept, complete: false))
    }

    @Test("to a port where nobody listens was not sent")
    func refused() async throws {
        let port = try FreePort.next()
        let reply = try await Self.exchange(origin: "http://127.0.0.1:\(port)")
        #expect(reply.isNotSent, "\(reply)")
    }

    @Test("to a name without an address was not sent")
    func unknownHost() async throws {
        let reply = try await Self.exchange(origin: "https://leasehold-test.invalid")
        #expect(reply.isNotSent, "\(reply)")
    }

    @Test("that fails in the TLS handshake was not sent")
    func noTLS() async throws {
        try await RawServer.withServer([.send("HTTP/1.1 400 Bad Request\r\n\r\n"), .hold]) { server in
            let reply = try await Self.exchange(origin: "https://127.0.0.1:\(server.port)")
            #expect(reply.isNotSent, "\(reply)")
            #expect(!server.received.joined().contains("refresh-1"))
        }
    }

    @Test("that was read and not answered has no reply, and is not sent again")
    func noAnswer() async throws {
        try await RawServer.withServer([.readRequest, .close]) { server in
            let reply = try await Self.exchange(origin: server.url)
            #expect(reply == .noReply)
            #expect(server.received.count == 1)
        }
    }

    @Test("ends at the deadline with no reply when nothing came")
    func deadlineBeforeHead() async throws {
        #expect(try await Self.exchangeUntilDeadline([.readRequest, .hold]) == .noReply)
    }

    @Test("ends at the deadline with the bytes so far when the body trickles")
    func deadlineInBody() async throws {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"acc"
        let reply = try await Self.exchangeUntilDeadline([.readRequest, .send(text), .hold])
        switch reply {
        case .noReply: break
        case .answered(200, _, _, let body, false): #expect("{\"acc".hasPrefix(body))
        default: Issue.record("\(reply)")
        }
    }

    @Test("reads what came while this process stood still past the deadline")
    func stoodStill() async throws {
        let clock = TestClock()
        try await RawServer.withServer([.readRequest, .send(Self.answer), .close]) { server in
            let proxy = try TCPProxy(to: .tcp(port: server.port))
            defer { proxy.close() }
            proxy.set(.holdReplies)
            async let reply = Self.exchange(origin: "http://127.0.0.1:\(proxy.port)", clock: clock)
            await clock.sleepers(1)
            clock.advance(by: .seconds(300))
            await clock.sleepers(1)
            proxy.heal()
            let observed = try await reply
            #expect(observed.isComplete)
        }
    }

    @Test("gives up after it stood still when nothing has come")
    func stoodStillInVain() async throws {
        let clock = TestClock()
        try await RawServer.withServer([.readRequest, .hold]) { server in
            async let reply = Self.exchange(origin: server.url, clock: clock)
            await server.waitForHold()
            await clock.sleepers(1)
            clock.advance(by: .seconds(300))
            await clock.sleepers(1)
            clock.advance(by: .seconds(2))
            let observed = try await reply
            #expect(observed == .noReply)
        }
    }

    @Test("does not follow a redirect")
    func redirect() async throws {
        let text = "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
        try await RawServer.withServer([.readRequest, .send(text), .close]) { server in
            let reply = try await Self.exchange(origin: server.url)
            #expect(reply == .answered(status: 307, contentType: nil, retryAfter: nil, body: "", complete: true))
            #expect(server.received.count == 1)
        }
    }

    @Test("goes on when its caller is cancelled, until the answer or the deadline")
    func cancelledCaller() async throws {
        let clock = TestClock()
        try await RawServer.withServer([.readRequest, .hold]) { server in
            await withTaskGroup(of: Observed?.self) { group in
                group.addTask { try? await Self.exchange(origin: server.url, clock: clock) }
                await server.waitForHold()
                group.cancelAll()
                // Had the cancellation reached it, nobody would sleep for the deadline any more.
                await clock.sleepers(1)
                clock.advance(by: .seconds(20))
                #expect(await group.next() == .noReply)
            }
        }
    }

    @Test("opens a fresh connection each time, even if the server would keep one")
    func freshConnections() async throws {
        try await RawServer.withServer([.readRequest, .send(Self.answer), .hold]) { server in
            try await PitchlyTransport.withTransport { transport in
                let client = try Self.client(origin: server.url, transport)
                for _ in 0..<3 {
                    let reply = await client.exchange(.refreshToken(Secret("refresh-1")), deadline: .seconds(10))
                    #expect(Observed(reply).isComplete)
                }
            }
            #expect(server.received.count == 3)
        }
    }

    @Test("carries the client's credentials and the token in the body alone")
    func requestShape() async throws {
        try await RawServer.withServer([.readRequest, .send(Self.answer), .close]) { server in
            _ = try await Self.exchange(origin: server.url)
            let request = try #require(server.received.first)
            let halves = request.split(separator: "\r\n\r\n", maxSplits: 1)
            let head = halves[0].lowercased()
            #expect(head.hasPrefix("post /api/oauth/token http/1.1\r\n"))
            #expect(head.contains("content-type: application/x-www-form-urlencoded"))
            #expect(head.contains("accept: application/json"))
            #expect(!head.contains("refresh-1") && !head.contains("authorization:"))
            #expect(
                halves[1]
                    == "grant_type=refresh_token&refresh_token=refresh-1&client_id=app1&client_secret=s%26%3D+%C3%BC"
            )
        }
    }
}

extension OAuthClientTests {
    private static func exchange(
        _ script: [RawServer.Step],
        deadline: Duration = .seconds(20),
        change: @escaping @Sendable (inout OAuthConfiguration) -> Void = { _ in }
    ) async throws -> Observed {
        try await RawServer.withServer(script) { server in
            try await exchange(origin: server.url, deadline: deadline, change: change)
        }
    }

    /// Lets the deadline pass once the server has the request and has sent what it will send.
    private static func exchangeUntilDeadline(_ script: [RawServer.Step]) async throws -> Observed {
        let clock = TestClock()
        return try await RawServer.withServer(script) { server in
            async let reply = exchange(origin: server.url, clock: clock)
            await server.waitForHold()
            await clock.sleepers(1)
            clock.advance(by: .seconds(20))
            return try await reply
        }
    }

    private static func exchange(
        origin: String,
        deadline: Duration = .seconds(20),
        clock: any Clock<Duration> = ContinuousClock(),
        change: (inout OAuthConfiguration) -> Void = { _ in }
    ) async throws -> Observed {
        try await PitchlyTransport.withTransport { transport in
            let client = try Self.client(origin: origin, transport, clock: clock, change: change)
            return Observed(await client.tokenExchange(.refreshToken(Secret("refresh-1")), deadline))
        }
    }

    private static func client(
        origin: String,
        _ transport: PitchlyTransport,
        clock: any Clock<Duration> = ContinuousClock(),
        change: (inout OAuthConfiguration) -> Void = { _ in }
    ) throws -> OAuthClient {
        var configuration = try OAuthConfiguration(
            origin: PitchlyURL(origin, setting: "origin"),
            clientID: "app1",
            clientSecret: Secret("s&= ü")
        )
        change(&configuration)
        return OAuthClient(
            configuration: configuration,
            transport: transport,
            clock: clock,
            logger: Logger(label: "test")
        )
    }
}

/// A reply in a form that compares; reasons are for people and left out.
enum Observed: Equatable {
    case notSent
    case noReply
    case answered(status: Int, contentType: String?, retryAfter: String?, body: String, complete: Bool)

    init(_ reply: TokenEndpointReply) {
        switch reply {
        case .notSent: self = .notSent
        case .noReply: self = .noReply
        case .answered(let status, let type, let after, let body, let complete):
            let text = String(decoding: body, as: UTF8.self)
            self = .answered(status: status, contentType: type, retryAfter: after, body: text, complete: complete)
        }
    }

    var isNotSent: Bool { self == .notSent }

    var isComplete: Bool {
        if case .answered(_, _, _, _, true) = self { true } else { false }
    }
}
