import LeaseholdCore
import NIOCore
import NIOPosix

/// Sends bytes of its own choice, which no HTTP client would.
struct RawClient {
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    static func connect(port: Int) async throws -> RawClient {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return RawClient(channel: channel)
    }

    func send(_ text: String) async throws { try await send(bytes: Array(text.utf8)) }

    func send(bytes: [UInt8]) async throws {
        try await channel.channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    /// Everything that comes until the other end closes.
    func readToEnd() async throws -> String {
        try await channel.executeThenClose { inbound, _ in
            var text = ""
            for try await part in inbound { text += String(buffer: part) }
            return text
        }
    }

    /// Reads nothing more.
    func close() async {
        try? await channel.channel.close()
        try? await channel.executeThenClose { _, _ in }
    }
}

/// Requests that no client should send, one kind after another.
enum MalformedRequest {
    static func bytes(_ round: Int, _ random: RandomSource) -> [UInt8] {
        let target = ["/v1/jobs", "/", "/ready", "/v1/tenants/a/access-token"][Int(random.next() % 4)]
        switch round % 9 {
        case 0: return noise(Int(random.next() % 4096), random)
        case 1: return Array("GET \(target) HTTP/1.1\r\nHost: x\r\n".utf8)
        case 2: return Array("POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n{}".utf8)
        case 3: return Array("POST \(target) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n".utf8)
        case 4:
            return Array("GET \(target)?\(String(repeating: "a=%zz&", count: 500)) HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        case 5: return Array("GET / HTTP/1.1\r\nX: \(String(repeating: "a", count: 200_000))\r\n\r\n".utf8)
        case 6:
            return Array("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n".utf8)
                + noise(64, random)
        case 7: return Array("BREW \(target) HTTP/9.9\r\nHost: x\r\n\r\n".utf8)
        default:
            return Array("POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n".utf8)
                + Array("Content-Length: 256\r\n\r\n".utf8) + noise(256, random)
        }
    }

    private static func noise(_ count: Int, _ random: RandomSource) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
}
