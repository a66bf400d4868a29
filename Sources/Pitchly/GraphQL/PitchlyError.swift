import LeaseholdCore

/// A request to the GraphQL endpoint that gave no usable answer.
///
/// The texts name host, status and content type, and never hold a token or any part of a body that
/// is not a GraphQL error message.
package struct PitchlyError: ExplainedError, Equatable {
    package let kind: Kind
    /// Name of the operation: `records`.
    package let operation: String
    package let message: String
    package let hint: String?
    /// From Retry-After.
    package let retryAfter: Duration?

    package enum Kind: String, Sendable, CaseIterable {
        /// No connection, or it broke, or no answer in time.
        case unreachable
        /// 429, or an error code that means the same.
        case throttled
        /// 5xx.
        case unavailable
        /// Not GraphQL: HTML, cut JSON, an unknown shape, too long.
        case malformed
        /// The token was refused, and so was the newer one if there was one.
        case unauthenticated
        /// The grant does not cover this.
        case forbidden
        /// The document does not fit the API's schema.
        case invalidDocument
        /// An argument was refused: with a cursor in it, most likely the cursor.
        case invalidArgument
        /// What the request is about does not exist, or not for this grant.
        case notFound
        /// Any other GraphQL error.
        case server
    }

    init(_ kind: Kind, operation: String, message: String, hint: String? = nil, retryAfter: Duration? = nil) {
        self.kind = kind
        self.operation = operation
        self.message = message
        self.hint = hint
        self.retryAfter = retryAfter
    }

    package var label: String { "pitchly_\(kind.rawValue)" }

    /// Whether the same request may work a little later without anybody doing anything.
    package var isTransient: Bool {
        switch kind {
        case .unreachable, .throttled, .unavailable, .malformed, .server: true
        case .unauthenticated, .forbidden, .invalidDocument, .invalidArgument, .notFound: false
        }
    }
}
