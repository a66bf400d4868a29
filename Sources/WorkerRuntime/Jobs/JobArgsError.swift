public import LeaseholdCore

/// JSON of a job, its args or its progress, that is not what its kind expects.
///
/// Says where, what was expected and what kind of thing came, and never a value: args belong to the
/// tenant, and this text ends in logs and in the job's `last_error`.
public struct JobArgsError: ExplainedError, Equatable {
    /// `args` or `progress`.
    public let what: String
    public let kind: JobKind
    /// The Swift type that was to be decoded.
    public let type: String
    public let problem: String

    public var label: String { "job_\(what)_undecodable" }

    public var message: String { "expected the \(what) of a \(kind) job to decode as \(type): \(problem)" }

    public var hint: String? {
        "compare what enqueues \(kind) with this worker's \(type); the job is tried again, "
            + "so a worker that knows the new shape will run it"
    }

    init(what: String, kind: JobKind, type: Any.Type, error: any Error) {
        self.what = what
        self.kind = kind
        self.type = String(describing: type)
        self.problem = Self.problem(of: error)
    }

    private static func problem(of error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            "expected the key \(path(context.codingPath + [key])), which is missing"
        case DecodingError.valueNotFound(let type, let context):
            "expected \(path(context.codingPath)) to be \(name(type)), got null"
        case DecodingError.typeMismatch(let type, let context):
            "expected \(path(context.codingPath)) to be \(name(type)), got another type"
        case DecodingError.dataCorrupted(let context):
            // Of a number that fits no integer the decoder knows no path.
            context.codingPath.isEmpty
                ? "expected every value to fit its type, got one that does not"
                : "expected \(path(context.codingPath)) to fit its type, got a value that does not"
        default:
            errorText(error)
        }
    }

    /// `page.items[2].size`; `the whole value` at the top.
    private static func path(_ keys: [any CodingKey]) -> String {
        if keys.isEmpty { return "the whole value" }
        return keys.reduce(into: "") { text, key in
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }

    /// In the words of JSON where there are some: people who enqueue from SQL do not know `Int64`.
    private static func name(_ type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is [any Sendable].Type: "an array"
        case is [String: any Sendable].Type: "an object"
        default: String(describing: type)
        }
    }
}
