import NIOCore
import NIOPosix

/// A port of this machine that nothing listens on: the system's choice of a moment ago. The server's
/// own address must be known before it starts, because it is registered at the provider.
func freePort() async throws -> Int {
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .bind(host: "127.0.0.1", port: 0).get()
    let port = channel.localAddress?.port ?? 0
    try await channel.close()
    return port
}
