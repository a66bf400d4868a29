import Foundation

/// The envelope of an answer: `data`, `errors` or both.
enum GraphQLAnswer<Answer: Sendable> {
    case data(Answer)
    case errors([GraphQLFault])

    /// Errors win over data: half a page must not be taken for a page.
    init(_ bytes: [UInt8], for operation: GraphQLOperation<Answer>) throws(JSONScanner.Failure) {
        var scanner = JSONScanner(bytes)
        var data: Result<Answer, JSONScanner.Failure>?
        var faults: [GraphQLFault] = []
        try scanner.object { scanner, name throws(JSONScanner.Failure) in
            let member = scanner.bytes[name]
            if member.elementsEqual("data".utf8) {
                data = try Self.read(&scanner, operation)
            } else if member.elementsEqual("errors".utf8) {
                faults = Self.faults(scanner.bytes[try scanner.value()])
            } else {
                try scanner.value()
            }
        }
        try scanner.end()
        if !faults.isEmpty {
            self = .errors(faults)
        } else if let data {
            self = .data(try data.get())
        } else {
            throw JSONScanner.Failure(expected: "data or errors", offset: 0)
        }
    }

    /// A failure of meaning is kept until the errors have been seen; a failure of syntax ends all.
    private static func read(
        _ scanner: inout JSONScanner,
        _ operation: GraphQLOperation<Answer>
    ) throws(JSONScanner.Failure) -> Result<Answer, JSONScanner.Failure> {
        _ = try scanner.peek()
        let start = scanner.place
        do {
            return .success(try operation.read(&scanner))
        } catch {
            scanner.rewind(to: start)
            try scanner.value()
            return .failure(error)
        }
    }

    private static func faults(_ bytes: ArraySlice<UInt8>) -> [GraphQLFault] {
        if bytes.elementsEqual("null".utf8) { return [] }
        // Errors of a shape nobody knows are errors all the same.
        return (try? JSONDecoder().decode([GraphQLFault].self, from: Data(bytes)))
            ?? [GraphQLFault(code: nil, message: "errors of an unknown shape")]
    }
}

/// One element of `errors`, in the shape of either generation of the API.
struct GraphQLFault: Sendable, Decodable {
    /// `extensions.code` (platform) or `data.error` (v2).
    let code: String?
    let message: String

    init(code: String?, message: String) {
        self.code = code
        self.message = message
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        let extensions = try? members.nestedContainer(keyedBy: Key.self, forKey: .extensions)
        let data = try? members.nestedContainer(keyedBy: Key.self, forKey: .data)
        code = (try? extensions?.decode(String.self, forKey: .code)) ?? (try? data?.decode(String.self, forKey: .error))
        message =
            (try? data?.decode(String.self, forKey: .reason))
            ?? (try? members.decode(String.self, forKey: .message)) ?? "no message"
    }

    private enum Key: String, CodingKey {
        case message
        case extensions
        case code
        case data
        case error
        case reason
    }
}
