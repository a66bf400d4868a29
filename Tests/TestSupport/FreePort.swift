import Foundation
import Synchronization

/// Ports of this machine for servers that must know their address before they start, and for tests of
/// an address where nobody listens.
///
/// A port that the system chose and that was closed again is the system's to choose once more, for any
/// socket of the tests that run beside this one (seen: "Address already in use"). These lie below the
/// range the system chooses from, and each is given once a process.
package enum FreePort {
    private static let lowest = 10_000
    private static let given = Atomic<Int>(0)

    /// - Throws: `TestSupportError` if something listens on every port of the range.
    package static func next() throws -> Int {
        let ports = lowest..<max(lowest + 1, firstOfSystem())
        // Processes beside each other begin at different places.
        let start = Int(getpid()) * 127
        for _ in ports {
            let turn = start + given.wrappingAdd(1, ordering: .relaxed).newValue
            let port = ports.lowerBound + turn % ports.count
            if let descriptor = try? SocketAddress.loopback(port: port).listen() {
                close(descriptor)
                return port
            }
        }
        throw TestSupportError(
            label: "no_free_port",
            message: "expected a free port in \(ports), got: something listens on each",
            hint: "ss -ltnp"
        )
    }

    private static func firstOfSystem() -> Int {
        let range = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
        return range?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? 32_768
    }
}
