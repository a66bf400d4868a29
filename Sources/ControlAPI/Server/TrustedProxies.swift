import HTTPTypes

/// Finds out whose request it is that comes by way of proxies.
///
/// Anybody can send a header. So the addresses are read from the nearest to the farthest, each believed
/// because the one before it is a proxy of ours; the first that is none is the client.
package struct TrustedProxies: Sendable {
    /// What the proxies write. One of both, because a proxy lets the other through as the client sent it.
    package enum Header: String, Sendable, CaseIterable {
        /// `X-Forwarded-For: client, proxy`.
        case xForwardedFor = "x-forwarded-for"
        /// RFC 7239: `Forwarded: for=client, for="[2001:db8::1]:4711"`.
        case forwarded
    }

    private let ranges: [AddressRange]
    private let header: Header

    /// - Parameter ranges: where the proxies are; none believes no header.
    package init(_ ranges: [AddressRange] = [], header: Header = .xForwardedFor) {
        self.ranges = ranges
        self.header = header
    }

    /// - Parameter peer: the other end of the connection.
    /// - Returns: the peer itself unless it is a proxy; the last proxy where what it says is no address.
    func client(of peer: String, _ headers: HTTPFields) -> String {
        guard !ranges.isEmpty, var nearest = NetworkAddress(peer), isTrusted(nearest) else { return peer }
        for hop in hops(headers).reversed() {
            guard let address = NetworkAddress(Self.withoutPort(hop)) else { break }
            nearest = address
            if !isTrusted(address) { break }
        }
        return nearest.text
    }

    private func isTrusted(_ address: NetworkAddress) -> Bool { ranges.contains { $0.contains(address) } }

    /// What each hop wrote, the farthest first; several lines of one header are one list.
    private func hops(_ headers: HTTPFields) -> [Substring] {
        let lines: [String] =
            switch header {
            case .xForwardedFor: headers[values: .xForwardedFor]
            case .forwarded: headers[values: .forwarded]
            }
        let items = lines.flatMap { $0.split(separator: ",", omittingEmptySubsequences: true) }.map(Self.trimmed)
        return header == .xForwardedFor ? items : items.map(Self.forParameter)
    }

    /// The value of `for` of one element; empty if it has none, as when a hop hides it.
    private static func forParameter(_ element: Substring) -> Substring {
        for pair in element.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1).map(trimmed)
            guard parts.count == 2, parts[0].lowercased() == "for" else { continue }
            return parts[1].hasPrefix("\"") && parts[1].hasSuffix("\"") ? parts[1].dropFirst().dropLast() : parts[1]
        }
        return ""
    }

    /// `192.0.2.1:47011`, `[2001:db8::1]:4711` and both without a port.
    private static func withoutPort(_ text: Substring) -> Substring {
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            return text.dropFirst().prefix { $0 != text[end] }
        }
        return text.count { $0 == ":" } == 1 ? text.prefix { $0 != ":" } : text
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}

extension HTTPField.Name {
    fileprivate static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
    fileprivate static let forwarded = HTTPField.Name("Forwarded")!
}
