import Synchronization

/// Gives out tokens and keeps the ledger. The only door to ``TokenState``: every decision is one
/// step under its lock.
final class TokenAuthority: Sendable {
    let behaviour: OAuthBehaviour
    let clock: FakeClock
    private let state = Mutex(TokenState())

    init(behaviour: OAuthBehaviour, clock: FakeClock) {
        self.behaviour = behaviour
        self.clock = clock
    }

    /// A POST that has arrived. Made before anything can go wrong with it.
    struct Receipt: Sendable {
        let kind: GrantKind?
        let organization: String?
        let refreshToken: String?
    }

    /// - Parameter organization: for a grant that names one itself.
    func receive(kind: GrantKind?, credential: String?, organization: String?) -> Receipt {
        let now = clock.now
        return state.withLock { state in
            var owner = organization
            switch kind {
            case .refreshToken:
                if let credential, let known = state.refreshTokens[credential] {
                    owner = known.organization
                    state.refreshTokens[credential]?.posts += 1
                    state.refreshTokens[credential]?.lastPostAt = now
                } else {
                    state.ledger.unknownRefreshTokens += 1
                }
            case .authorizationCode: owner = credential.flatMap { state.codes[$0]?.organization }
            case .accessToken: owner = credential.flatMap { state.accessTokens[$0]?.organization }
            case .clientCredentials, nil: break
            }
            state.ledger.begin(owner, now: now)
            return Receipt(kind: kind, organization: owner, refreshToken: kind == .refreshToken ? credential : nil)
        }
    }

    enum End {
        case succeeded
        case refused(OAuthError)
        /// 429: nothing was looked at.
        case throttled
        /// A fault answered before anything was looked at, and not with 429.
        case dropped
    }

    /// Closes a receipt, once, when the decision about it has fallen.
    func settle(_ receipt: Receipt, _ end: End) {
        let now = clock.now
        state.withLock { state in
            state.ledger.note(receipt.organization) { counts in
                switch end {
                case .succeeded:
                    if let kind = receipt.kind { counts.succeeded[kind, default: 0] += 1 }
                    counts.lastSuccessAt = now
                case .refused(let error): counts.refused[error.code, default: 0] += 1
                case .throttled: counts.throttled += 1
                case .dropped: break
                }
            }
            guard let token = receipt.refreshToken else { return }
            switch end {
            case .throttled: state.refreshTokens[token]?.refused += 1
            case .refused(let error) where error.code != "invalid_grant": state.refreshTokens[token]?.refused += 1
            case .refused, .succeeded, .dropped: break
            }
        }
    }

    /// The decision about the POST has fallen; its answer is about to be sent.
    func leave(_ receipt: Receipt) { state.withLock { $0.ledger.end(receipt.organization) } }

    /// An exchange was made and its answer did not go out whole.
    func noteLostReply(_ receipt: Receipt) {
        state.withLock { state in state.ledger.note(receipt.organization) { $0.repliesLost += 1 } }
    }

    enum Presented: Sendable {
        case refreshToken(String)
        case code(String, redirectURI: String?, verifier: String?)
        case accessToken(String)
        case client(organization: String)
    }

    func exchange(_ presented: Presented, scopes: [String]) throws(OAuthError) -> TokenReply {
        let terms = terms(scopes: scopes)
        return try state.withLock { state throws(OAuthError) in
            switch presented {
            case .refreshToken(let token): try state.refresh(token, terms)
            case .code(let code, let redirectURI, let verifier):
                try state.redeem(code: code, redirectURI: redirectURI, verifier: verifier, terms)
            case .accessToken(let token): try state.exchange(accessToken: token, terms)
            case .client(let organization):
                state.clientCredentials(
                    organization,
                    givesRefreshToken: behaviour.clientCredentialsGiveRefreshToken,
                    terms
                )
            }
        }
    }

    private func terms(scopes: [String]) -> TokenState.Terms {
        TokenState.Terms(
            scopes: scopes,
            seconds: behaviour.accessTokenSeconds,
            rotation: behaviour.rotation,
            revokesAccessToken: behaviour.refreshRevokesAccessToken,
            now: clock.now
        )
    }

    func withState<Value: Sendable>(_ body: (inout sending TokenState) -> sending Value) -> Value {
        state.withLock { body(&$0) }
    }
}
