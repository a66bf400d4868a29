import HTTPTypes
import HummingbirdCore
import NIOCore

/// A request that has been read to its end.
struct FakeRequest: Sendable {
    let method: String
    /// Without the query.
    let path: String
    let query: FormFields?
    let body: [UInt8]
    /// Numbers the TCP connection, from 1.
    let connection: Int
    /// Numbers the request on its connection, from 1.
    let requestOnConnection: Int
    private let headers: HTTPFields

    /// Larger bodies are refused.
    static let maxBodyBytes = 16 << 20

    init(_ request: Request, connection: Int, requestOnConnection: Int) async throws {
        method = request.method.rawValue
        path = request.uri.path
        query = FormFields((request.uri.query ?? "").utf8)
        headers = request.headers
        self.connection = connection
        self.requestOnConnection = requestOnConnection
        let buffer = try await request.body.collect(upTo: Self.maxBodyBytes)
        body = Array(buffer.readableBytesView)
    }

    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

    /// The media type without its parameters.
    var mediaType: String? {
        header("content-type")?.split(separator: ";").first.map { $0.trimmingPrefix { $0 == " " }.lowercased() }
    }

    /// The token of `Authorization: Bearer …` (RFC 6750 section 2.1).
    var bearerToken: String? {
        guard let value = header("authorization"), value.lowercased().hasPrefix("bearer ") else { return nil }
        return String(value.dropFirst(7))
    }
}
