import Foundation

/// A port of this machine whose queue of connections is full: the next attempt to connect hears
/// nothing, as from a host that is gone.
package final class FullListener: Sendable {
    package let port: Int
    private let descriptors: [Int32]

    package init() throws {
        let listener = try SocketAddress.loopback(port: 0).listen(backlog: 0)
        port = try SocketAddress.port(of: listener)
        // With a backlog of 0 Linux completes one connection; the ones after it wait for room.
        var descriptors = [listener]
        for _ in 0..<3 { descriptors.append(try SocketAddress.loopback(port: port).startConnecting()) }
        self.descriptors = descriptors
    }

    package func close() {
        for descriptor in descriptors { Foundation.close(descriptor) }
    }
}
