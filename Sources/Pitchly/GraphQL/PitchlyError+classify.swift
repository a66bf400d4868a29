import LeaseholdCore

extension PitchlyError {
    /// The error for an answer with GraphQL errors; the most telling of them decides.
    init(faults: [GraphQLFault], operation: String, host: String, token: Secret) {
        let known = faults.first { Self.kind(ofCode: $0.code) != .server }
        let fault = known ?? faults.first ?? GraphQLFault(code: nil, message: "no message")
        let kind = Self.kind(ofCode: fault.code)
        let code = fault.code.map { " (\($0.prefix(60)))" } ?? ""
        let more = faults.count > 1 ? " and \(faults.count - 1) more" : ""
        self.init(
            kind,
            operation: operation,
            message: "\(host) refused \(operation)\(code): \(Self.shown(fault.message, hiding: token))\(more)",
            hint: Self.hint(for: kind)
        )
    }

    /// The error for an HTTP answer that is not GraphQL, whatever it is.
    init(
        malformed answer: HTTPAnswer,
        operation: String,
        host: String,
        failure: JSONScanner.Failure
    ) {
        let type = answer.contentType.map { "content type \($0.prefix(80))" } ?? "no content type"
        self.init(
            .malformed,
            operation: operation,
            message: "expected a GraphQL answer to \(operation) from \(host), got status \(answer.status), \(type), "
                + "\(answer.body.count) bytes; expected \(failure.expected) at byte \(failure.offset)",
            hint: answer.isJSON
                ? Self.documentsHint
                : "check that LEASEHOLD_PITCHLY_API_URL names the GraphQL endpoint and that no proxy answers in its place"
        )
    }

    static func kind(ofCode code: String?) -> Kind {
        switch code?.uppercased().replacing("-", with: "_") {
        case "UNAUTHENTICATED", "INVALID_TOKEN", "TOKEN_EXPIRED", "INVALID_ACCESS_TOKEN": .unauthenticated
        case "FORBIDDEN", "NOT_AUTHORIZED", "UNAUTHORIZED": .forbidden
        case "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "OPERATION_RESOLUTION_FAILURE": .invalidDocument
        case "INVALID_CURSOR", "CURSOR_EXPIRED", "EXPIRED_CURSOR": .invalidArgument
        case "RATE_LIMITED", "RATE_LIMIT_EXCEEDED", "TOO_MANY_REQUESTS", "THROTTLED": .throttled
        case let code? where code.hasPrefix("BAD_") && code != "BAD_GATEWAY": .invalidArgument
        case "NOT_FOUND", "RECORD_NOT_FOUND", "TABLE_NOT_FOUND", "ROW_NOT_FOUND": .notFound
        default: .server
        }
    }

    private static let documentsHint =
        "compare the dialect's documents, which \(DialectDocuments.setting) replaces, with the API's schema; "
        + "check LEASEHOLD_PITCHLY_API_URL"

    static func hint(for kind: Kind) -> String? {
        switch kind {
        case .unauthenticated: "leasehold tenants connect TENANT (the grant may have been withdrawn at Pitchly)"
        case .forbidden: "grant the app access to it at Pitchly"
        case .invalidDocument: documentsHint
        case .unreachable, .throttled, .unavailable, .malformed, .invalidArgument, .notFound, .server: nil
        }
    }

    /// Messages of the API help to find the cause, but one may quote the variable that holds the
    /// token, and one may be long.
    private static func shown(_ message: String, hiding token: Secret) -> String {
        let secret = token.reveal()
        let safe = secret.isEmpty ? message : message.replacing(secret, with: token.description)
        return safe.count > 300 ? "\(safe.prefix(300))…" : safe
    }
}
