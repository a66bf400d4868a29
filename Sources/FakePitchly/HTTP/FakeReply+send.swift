import HTTPTypes
import HummingbirdCore
import NIOCore

/// Thrown after an answer that ends its connection: Hummingbird then closes it.
struct ConnectionEnded: Error {}

extension FakeReply {
    /// - Throws: ``ConnectionEnded`` after every delivery that ends the connection, on purpose.
    @concurrent
    func send(_ writer: consuming ResponseWriter, on channel: any Channel) async throws {
        switch delivery {
        case .whole: try await sendWhole(writer)
        case .closed: throw ConnectionEnded()
        case .reset:
            try await channel.reset()
            throw ConnectionEnded()
        case .cut(.message(let count)):
            try await channel.sendRaw(Array(rawMessage(chunked: false).prefix(count)))
            throw ConnectionEnded()
        case .cut(.body(let count)):
            try await channel.sendRaw(rawHead(chunked: false) + bodyBytes.prefix(count))
            throw ConnectionEnded()
        case .cut(.chunkedBody(let count)):
            let all = bodyBytes
            // The chunk announces all that is left, so that the cut falls inside it.
            let head = rawHead(chunked: true) + Array("\(String(all.count, radix: 16))\r\n".utf8)
            try await channel.sendRaw(head + all.prefix(count))
            throw ConnectionEnded()
        case .trickle(let count, let pause): try await trickle(count, pause: pause, on: channel)
        }
    }

    @concurrent
    private func sendWhole(_ writer: consuming ResponseWriter) async throws {
        var fields = HTTPFields()
        for header in headers {
            if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
        }
        let head = { (fields: HTTPFields) in
            HTTPResponse(status: .init(code: status, reasonPhrase: Self.reason(status)), headerFields: fields)
        }
        switch body {
        case .bytes(let bytes):
            fields[.contentLength] = String(bytes.count)
            try await writer.write(response: head(fields), body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .pieces(let next):
            var body = try await writer.writeHead(head(fields))
            while let piece = try await next() { try await body.write(ByteBuffer(bytes: piece)) }
            try await body.finish(nil)
        }
    }

    /// A slow answer ends its connection, so that the next request does not wait behind it.
    private func trickle(_ count: Int, pause: Duration, on channel: any Channel) async throws {
        var rest = rawMessage(chunked: false)[...]
        while !rest.isEmpty {
            try await channel.sendRaw(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
            if !rest.isEmpty { try await Task.sleep(for: pause) }
        }
        throw ConnectionEnded()
    }

    private var bodyBytes: [UInt8] {
        if case .bytes(let bytes) = body { bytes } else { [] }
    }

    private func rawMessage(chunked: Bool) -> [UInt8] { rawHead(chunked: chunked) + bodyBytes }

    private func rawHead(chunked: Bool) -> [UInt8] {
        var lines = ["HTTP/1.1 \(status) \(Self.reason(status))"]
        lines += headers.map { "\($0.name): \($0.value)" }
        lines.append(chunked ? "transfer-encoding: chunked" : "content-length: \(bodyBytes.count)")
        lines.append("connection: close")
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 302: "Found"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Status \(status)"
        }
    }
}
