/// `POST /api/oauth/token` (RFC 6749 section 3.2).
struct TokenEndpoint: Sendable {
    let behaviour: OAuthBehaviour
    let authority: TokenAuthority
    let world: FakeWorld
    let faults: FaultPlan
    let limiter: RateLimiter?
    let latency: Duration
    let log: RequestLog

    /// Keeps the ledger right whatever happens to the connection.
    func respond(to request: FakeRequest, entry: inout RequestLog.Entry) async throws -> FakeReply {
        let form = request.mediaType == "application/x-www-form-urlencoded" ? FormFields(request.body) : nil
        let kind = form.flatMap { grantKind($0, path: request.path) }
        let receipt = authority.receive(
            kind: kind,
            credential: form.flatMap { kind?.credential(in: $0, behaviour) },
            organization: form?["organization_id"].flatMap(world.organizationID)
        )
        // Before the answer goes out: a client that then sends its next POST has but one in the house.
        defer { authority.leave(receipt) }
        entry.organization = receipt.organization
        entry.grant = kind?.rawValue
        entry.clientAuthentication = clientAuthentication(request, form)
        log.enter(&entry)
        var outcome = try await decide(request, form, receipt, &entry)
        guard outcome.isSuccess else { return outcome.reply }
        if outcome.isShown {
            outcome.reply.onLost = { [authority] in authority.noteLostReply(receipt) }
        } else {
            authority.noteLostReply(receipt)
        }
        return outcome.reply
    }

    private struct Outcome {
        var reply: FakeReply
        /// Tokens were made.
        var isSuccess: Bool
        /// What is sent carries them, as far as is known before it is sent.
        var isShown = true
    }

    private func decide(
        _ request: FakeRequest,
        _ form: FormFields?,
        _ receipt: TokenAuthority.Receipt,
        _ entry: inout RequestLog.Entry
    ) async throws -> Outcome {
        if let seconds = limiter?.refuse("token") {
            authority.settle(receipt, .throttled)
            let body: JSONValue = ["error": "temporarily_unavailable", "error_description": "Too many requests."]
            return Outcome(reply: .throttled(retryAfter: seconds, body: body), isSuccess: false)
        }
        let subject = FaultPlan.Subject(endpoint: .token, organization: receipt.organization, grant: receipt.kind)
        let active = faults.faults(for: subject)
        entry.faults = active.names
        try await active.wait(.before)
        if let reply = active.answer(.before, now: authority.clock.now) {
            authority.settle(receipt, reply.status == 429 ? .throttled : .dropped)
            return Outcome(reply: reply, isSuccess: false)
        }
        var outcome = exchange(request, form, receipt, active.tokenReply)
        try await active.wait(.after)
        if latency > .zero { try await Task.sleep(for: latency) }
        if let reply = active.answer(.after, now: authority.clock.now) {
            outcome.reply = reply
            outcome.isShown = false
        } else if let delivery = active.delivery {
            outcome.reply.delivery = delivery
        }
        outcome.isShown = outcome.isShown && outcome.reply.isWhole
        return outcome
    }

    private func exchange(
        _ request: FakeRequest,
        _ form: FormFields?,
        _ receipt: TokenAuthority.Receipt,
        _ changes: [Fault.TokenReplyFault]
    ) -> Outcome {
        do throws(OAuthError) {
            guard request.method == "POST" else { throw .invalidRequest("The token endpoint takes POST.") }
            guard let form else { throw .invalidRequest("The body must be application/x-www-form-urlencoded.") }
            let (presented, scopes) = try presented(request, form, receipt.kind)
            let tokens = try authority.exchange(presented, scopes: scopes)
            authority.settle(receipt, .succeeded)
            return Outcome(reply: render(tokens, changes), isSuccess: true)
        } catch {
            authority.settle(receipt, .refused(error))
            return Outcome(reply: render(error), isSuccess: false)
        }
    }

    private func grantKind(_ form: FormFields, path: String) -> GrantKind? {
        let exchange = behaviour.accessTokenExchange
        guard let name = form["grant_type"] else {
            return path == exchange.path && path != FakePaths.token ? .accessToken : nil
        }
        if name == exchange.grantType { return .accessToken }
        return GrantKind(rawValue: name).flatMap { $0 == .accessToken ? nil : $0 }
    }

    private func presented(
        _ request: FakeRequest,
        _ form: FormFields,
        _ kind: GrantKind?
    ) throws(OAuthError) -> (TokenAuthority.Presented, scopes: [String]) {
        if let name = form.repeated { throw .invalidRequest("The parameter \(name) comes more than once.") }
        try authenticate(request, form)
        guard let kind else {
            guard form["grant_type"] != nil else { throw .invalidRequest("The parameter grant_type is missing.") }
            throw OAuthError(code: "unsupported_grant_type", description: "The grant type is not supported.")
        }
        let scopes = try scopes(form["scope"])
        guard let credential = kind.credential(in: form, behaviour), !credential.isEmpty else {
            throw .invalidRequest("The parameter \(kind.parameter(behaviour)) is missing.")
        }
        switch kind {
        case .refreshToken: return (.refreshToken(credential), scopes)
        case .authorizationCode:
            return (
                .code(credential, redirectURI: form["redirect_uri"], verifier: form["code_verifier"]), scopes
            )
        case .accessToken: return (.accessToken(credential), scopes)
        case .clientCredentials:
            guard let organization = world.organizationID(credential) else {
                throw .invalidRequest("The organization is unknown.")
            }
            return (.client(organization: organization), scopes)
        }
    }

    /// Absent means all the app may do; empty means read only; an unknown one is refused.
    private func scopes(_ text: String?) throws(OAuthError) -> [String] {
        guard let text else { return behaviour.scopes }
        let scopes = text.split(separator: " ").map(String.init)
        if let unknown = scopes.first(where: { !behaviour.scopes.contains($0) }) {
            throw OAuthError(code: "invalid_scope", description: "The scope \(unknown) was not granted.")
        }
        return scopes
    }
}

extension GrantKind {
    func parameter(_ behaviour: OAuthBehaviour) -> String {
        switch self {
        case .refreshToken: "refresh_token"
        case .authorizationCode: "code"
        case .accessToken: behaviour.accessTokenExchange.parameter
        case .clientCredentials: "organization_id"
        }
    }

    func credential(in form: FormFields, _ behaviour: OAuthBehaviour) -> String? { form[parameter(behaviour)] }
}
