import AsyncHTTPClient
import NIOCore
import NIOPosix

/// A text for an error of the HTTP stack that is safe to show.
///
/// Some errors of the stack quote header values, which hold tokens; only those are described in full
/// that are known to hold names and numbers only.
func transportFailureText(_ error: any Error) -> String {
    switch error {
    case let error as HTTPClientError: error.shortDescription.lowercased()
    case let error as IOError: error.description
    case let error as NIOConnectionError: connectionFailureText(error)
    case is CancellationError: "cancelled"
    default: fallbackText(error)
    }
}

private func connectionFailureText(_ error: NIOConnectionError) -> String {
    if let first = error.connectionErrors.first {
        return "no connection to \(error.host):\(error.port): \(transportFailureText(first.error))"
    }
    if let dns = error.dnsAError ?? error.dnsAAAAError {
        return "no address for \(error.host): \(transportFailureText(dns))"
    }
    return "no connection to \(error.host):\(error.port)"
}

private func fallbackText(_ error: any Error) -> String {
    let type = String(reflecting: type(of: error))
    // Errors of the TLS and socket layers know nothing of requests.
    if type.hasPrefix("NIOSSL.") || type.hasPrefix("NIOPosix.") || type.hasPrefix("NIOCore.") {
        return "\(type): \(error)"
    }
    return "error of type \(type)"
}
