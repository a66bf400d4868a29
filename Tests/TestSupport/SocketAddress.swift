import Foundation

/// An address on this machine, for blocking sockets in tests.
struct SocketAddress {
    private var storage: sockaddr_storage
    private var length: socklen_t
    private var family: Int32

    static func loopback(port: Int) -> SocketAddress {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return SocketAddress(address, family: AF_INET)
    }

    /// - Throws: if the path is longer than a socket's path may be.
    static func unix(path: String) throws -> SocketAddress {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else { throw SocketFailure(call: "path too long", code: ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return SocketAddress(address, family: AF_UNIX)
    }

    private init<Address>(_ address: Address, family: Int32) {
        storage = sockaddr_storage()
        length = socklen_t(MemoryLayout<Address>.size)
        self.family = family
        withUnsafeMutableBytes(of: &storage) { target in
            withUnsafeBytes(of: address) { target.copyMemory(from: $0) }
        }
    }

    func listen(backlog: Int32 = 128) throws -> Int32 {
        try withSocket { descriptor, address in
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            guard bind(descriptor, address, length) == 0 else { return "bind" }
            return Foundation.listen(descriptor, backlog) == 0 ? nil : "listen"
        }
    }

    func connect() throws -> Int32 {
        try withSocket { descriptor, address in
            Foundation.connect(descriptor, address, length) == 0 ? nil : "connect"
        }
    }

    /// Begins to connect and does not wait for the outcome.
    func startConnecting() throws -> Int32 {
        try withSocket { descriptor, address in
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            let result = Foundation.connect(descriptor, address, length)
            return result == 0 || errno == EINPROGRESS ? nil : "connect"
        }
    }

    private func withSocket(_ body: (Int32, UnsafePointer<sockaddr>) -> String?) throws -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SocketFailure(call: "socket", code: errno) }
        let failedCall = withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body(descriptor, $0) }
        }
        guard let failedCall else { return descriptor }
        let failure = SocketFailure(call: failedCall, code: errno)
        close(descriptor)
        throw failure
    }

    static func port(of descriptor: Int32) throws -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { throw SocketFailure(call: "getsockname", code: errno) }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}

struct SocketFailure: Error {
    let call: String
    let code: Int32
}
