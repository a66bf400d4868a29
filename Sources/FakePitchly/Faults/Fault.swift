/// What goes wrong with one request.
package enum Fault: Sendable, Equatable {
    /// Before or after the request is acted upon: the difference between a token that is still good
    /// and one that is spent.
    package enum Moment: String, Sendable {
        case before
        case after
    }

    /// `before`: acted upon late, whether or not the client is still there. `after`: acted upon at
    /// once, answered late.
    case delay(Duration, Moment)
    /// The same, until the gate is opened.
    case hold(FaultGate, Moment)
    /// This answer instead of the right one.
    case answer(Answer, Moment)
    /// The connection ends without an answer.
    case close(Moment, isReset: Bool)
    /// The connection ends inside the answer.
    case cut(Cut)
    /// The answer comes in pieces of so many bytes.
    case trickle(bytes: Int, pause: Duration)
    /// Only at the token endpoint.
    case tokenReply(TokenReplyFault)
    /// Only at the GraphQL endpoints.
    case graphQL(GraphQLFault)

    package struct Answer: Sendable, Equatable {
        package var status: Int
        package var retryAfter: RetryAfter?
        package var body = Body.json

        package init(status: Int, retryAfter: RetryAfter? = nil, body: Body = .json) {
            self.status = status
            self.retryAfter = retryAfter
            self.body = body
        }

        package enum Body: String, Sendable {
            case json
            case html
            case empty
        }
    }

    /// RFC 9110 section 10.2.3 has both spellings.
    package enum RetryAfter: Sendable, Equatable {
        case seconds(Int)
        /// A date so many seconds ahead.
        case date(inSeconds: Int)
    }

    package enum Cut: Sendable, Equatable {
        /// So many bytes of the body come; the header promised them all.
        case body(after: Int)
        /// The same with chunked framing, which then lacks its end.
        case chunkedBody(after: Int)
        /// So many bytes of the whole answer come, status line included.
        case message(after: Int)
    }

    package enum TokenReplyFault: Sendable, Equatable {
        case withoutRefreshToken
        case withoutAccessToken
        /// This for `expires_in`; nil leaves the member out.
        case expiresIn(JSONValue?)
        /// The right reply with its last quarter gone, in an answer that is otherwise whole.
        case malformedJSON
        /// Members that no document knows, nested ones too.
        case extraMembers
        /// An OAuth error with this code after the exchange was made.
        case error(String)
    }

    package enum GraphQLFault: Sendable, Equatable {
        /// The access token is no longer accepted, before its time; `invalidates` makes that last.
        case unauthenticated(invalidates: Bool)
        /// The cursor, or v2's `skip`, is refused; matches only a request that has one.
        case expiredCursor
        /// A table of records looks empty.
        case emptyPage
        /// Errors with these codes; with `keepsData` beside the data, else in its place.
        case errors([String], keepsData: Bool)
        case malformedJSON
    }
}

/// When a fault happens: every condition that is given must hold.
package struct FaultRule: Sendable {
    package enum Endpoint: String, Sendable, CaseIterable {
        case token
        case authorize
        case graphql
        case v2
    }

    package var fault: Fault
    /// Nil for every endpoint.
    package var endpoint: Endpoint?
    package var organization: String?
    package var grant: GrantKind?
    /// A root field of the request: `recordsConnection`.
    package var operation: String?
    package var table: String?
    /// So many matching requests are spared first; default 0.
    package var skip = 0
    /// So many are hit after that, nil for all; default 1.
    package var count: Int? = 1
    /// Of a matching request that would be hit; default 1.
    package var probability = 1.0
    /// For the draws of `probability`.
    package var seed: UInt64 = 1

    package init(_ fault: Fault, at endpoint: Endpoint? = nil) {
        self.fault = fault
        self.endpoint = endpoint
    }
}
