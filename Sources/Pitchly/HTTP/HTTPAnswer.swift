import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A whole answer, read within a limit of bytes.
struct HTTPAnswer: Sendable {
    let status: Int
    let contentType: String?
    let retryAfter: String?
    /// The server's clock, in whole seconds.
    let date: Date?
    let body: [UInt8]

    struct TooLong: Error { let limit: Int }

    /// - Throws: ``TooLong``, or what the HTTP stack throws.
    init(_ response: HTTPClientResponse, limit: Int) async throws {
        status = Int(response.status.code)
        contentType = response.headers.first(name: "Content-Type")
        retryAfter = response.headers.first(name: "Retry-After")
        date = response.headers.first(name: "Date").flatMap(httpDate)
        var body: [UInt8] = []
        if let length = response.headers.first(name: "Content-Length").flatMap({ Int($0) }) {
            guard length <= limit else { throw TooLong(limit: limit) }
            body.reserveCapacity(length)
        }
        for try await part in response.body {
            guard body.count + part.readableBytes <= limit else { throw TooLong(limit: limit) }
            part.withUnsafeReadableBytes { body.append(contentsOf: $0) }
        }
        self.body = body
    }

    var isJSON: Bool { contentType?.lowercased().contains("json") ?? false }
}
