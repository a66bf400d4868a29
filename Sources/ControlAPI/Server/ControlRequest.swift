import Foundation
import HTTPTypes
import Hummingbird
import LeaseholdCore
import Logging
import NIOCore

/// A request as the routes see it: who calls, and its parts, checked.
struct ControlRequest: Sendable {
    let raw: Request
    let context: ControlContext
    /// Nil on open routes.
    let caller: Caller?
    let bodyLimit: Int

    var logger: Logger { context.logger }

    /// The tenant that the path names.
    ///
    /// - Throws: ``InvalidName``.
    func tenant() throws -> TenantID { try TenantID(parameter("tenant")) }

    /// The job that the path names.
    func job() throws -> JobID {
        let text = parameter("job")
        guard let number = Int64(text), number > 0 else {
            throw Problem(
                .badRequest,
                "invalid_job_id",
                "expected a job id, a whole number, got \"\(text.prefix(40))\""
            )
        }
        return JobID(rawValue: number)
    }

    func parameter(_ name: String) -> String {
        let text = context.parameters.get(name) ?? ""
        return text.removingPercentEncoding ?? text
    }

    var query: [String: String] { Self.fields(raw.uri.query ?? "") }

    /// A member of the query, nil if it is missing or empty.
    func query(_ name: String) -> String? {
        guard let value = query[name], !value.isEmpty else { return nil }
        return value
    }

    func header(_ name: HTTPField.Name) -> String? { raw.headers[name] }

    func cookie(_ name: String) -> String? { raw.cookies[name].map { String($0.value) } }

    /// The whole body.
    ///
    /// - Throws: ``Problem`` 413 if it is longer than the limit, 415 if it says to be something else.
    func body(as mediaType: String) async throws -> ByteBuffer {
        let said = raw.headers[.contentType]?.split(separator: ";").first.map {
            $0.trimmingCharacters(in: .whitespaces).lowercased()
        }
        guard said == mediaType else {
            throw Problem(
                .unsupportedMediaType,
                "unsupported_media_type",
                "expected a body of \(mediaType), got \(said.map { "\"\($0.prefix(80))\"" } ?? "no Content-Type")"
            )
        }
        do {
            return try await raw.body.collect(upTo: bodyLimit)
        } catch is NIOTooManyBytesError {
            throw Problem(
                .contentTooLarge,
                "body_too_large",
                "expected a body of at most \(bodyLimit) bytes, got a longer one",
                hint: "send a batch in parts"
            )
        }
    }

    /// The body as JSON of a shape, and its bytes as they came.
    ///
    /// - Throws: ``Problem`` naming the place that is not as expected.
    func json<Body: Decodable>(_ type: Body.Type) async throws -> (value: Body, text: String) {
        let buffer = try await body(as: "application/json")
        guard let text = String(validating: buffer.readableBytesView, as: UTF8.self) else {
            throw Problem.invalidBody(at: "", "to be UTF-8")
        }
        guard Self.depth(of: buffer.readableBytesView) <= 100 else {
            throw Problem.invalidBody(at: "", "to be nested at most 100 deep")
        }
        do {
            return (try JSONDecoder().decode(type, from: Data(text.utf8)), text)
        } catch let error as DecodingError {
            throw Problem(error)
        }
    }

    /// The fields of a form.
    func form() async throws -> [String: String] {
        let buffer = try await body(as: "application/x-www-form-urlencoded")
        let text = String(decoding: buffer.readableBytesView, as: UTF8.self)
        return Self.fields(text)
    }

    /// `application/x-www-form-urlencoded`, as bodies and queries are; the last of equal names counts,
    /// and what is not UTF-8 when it is decoded is empty.
    private static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&").prefix(100) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                $0.replacing("+", with: " ").removingPercentEncoding ?? ""
            }
            fields[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        return fields
    }

    /// How deep brackets nest, in one pass; brackets in strings do not count. Decoding recurses, and a
    /// body of a million brackets would end the process.
    private static func depth(of bytes: some Sequence<UInt8>) -> Int {
        var (depth, deepest, inString, escaped) = (0, 0, false, false)
        for byte in bytes {
            if inString {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else if byte == UInt8(ascii: "\"") {
                    inString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): inString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                deepest = max(deepest, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return deepest
    }
}

extension Problem {
    /// Names the member by a JSON pointer (RFC 6901).
    init(_ error: DecodingError) {
        func pointer(_ path: [any CodingKey]) -> String {
            path.map { "/" + ($0.intValue.map(String.init) ?? $0.stringValue) }.joined()
        }
        switch error {
        case .typeMismatch(let type, let context):
            self = .invalidBody(at: pointer(context.codingPath), "to be \(Self.word(for: type))")
        case .valueNotFound(let type, let context):
            self = .invalidBody(at: pointer(context.codingPath), "to be \(Self.word(for: type)), got null")
        case .keyNotFound(let key, let context):
            self = .invalidBody(at: pointer(context.codingPath + [key]), "to be there")
        // Our own say what was expected; the decoder's do not begin so.
        case .dataCorrupted(let context) where context.debugDescription.hasPrefix("to "):
            self = .invalidBody(at: pointer(context.codingPath), context.debugDescription)
        default: self = .invalidBody(at: "", "to be JSON")
        }
    }

    private static func word(for type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Int.Type, is Int64.Type, is Int32.Type, is Int16.Type: "a whole number"
        case is Double.Type, is Float.Type: "a number"
        case is Bool.Type: "true or false"
        case is [String: Any].Type, is [String: String].Type: "an object"
        case is [Any].Type: "an array"
        default: String(describing: type).contains("Array") ? "an array" : "of another type"
        }
    }
}
