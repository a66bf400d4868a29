#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A network address: the bytes of IPv4 or IPv6.
struct NetworkAddress: Hashable, Sendable {
    /// 4 or 16.
    let bytes: [UInt8]

    /// Nil for what is neither; a name is not looked up. IPv4 in the dress of IPv6 (`::ffff:10.0.0.1`)
    /// is IPv4.
    init?(_ text: some StringProtocol) {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, String(text), &bytes) == 1 {
            self.bytes = Array(bytes.prefix(4))
        } else if inet_pton(AF_INET6, String(text), &bytes) == 1 {
            let isMapped = bytes.prefix(10).allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.bytes = isMapped ? Array(bytes.suffix(4)) : bytes
        } else {
            return nil
        }
    }

    /// As limits count it: one household or machine of IPv6 has a whole /64 to choose from.
    var limitKey: String {
        bytes.count == 4 ? text(bytes) : text(Array(bytes.prefix(8)) + [UInt8](repeating: 0, count: 8)) + "/64"
    }

    var text: String { text(bytes) }

    private func text(_ bytes: [UInt8]) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        guard inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &buffer, socklen_t(buffer.count)) != nil else {
            return ""
        }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// Addresses that begin alike (RFC 4632, RFC 4291): `10.0.0.0/8`, `fd00::/8`, or one address alone.
package struct AddressRange: Hashable, Sendable {
    private let first: NetworkAddress
    private let length: Int

    /// Nil for a text that is none, and for one whose address has bits beyond the length, which is
    /// most often a slip.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = NetworkAddress(parts[0]) else { return nil }
        self.first = first
        guard parts.count == 2 else {
            length = first.bytes.count * 8
            return
        }
        guard parts[1].allSatisfy(\.isNumber), let length = Int(parts[1]), length <= first.bytes.count * 8 else {
            return nil
        }
        self.length = length
        guard first.bytes == Self.kept(first.bytes, length) else { return nil }
    }

    func contains(_ address: NetworkAddress) -> Bool {
        address.bytes.count == first.bytes.count && Self.kept(address.bytes, length) == first.bytes
    }

    /// The bytes with every bit after the first `length` cleared.
    private static func kept(_ bytes: [UInt8], _ length: Int) -> [UInt8] {
        bytes.enumerated().map { index, byte in
            let bits = max(0, min(8, length - index * 8))
            return bits == 0 ? 0 : byte & (0xFF << (8 - bits))
        }
    }
}
