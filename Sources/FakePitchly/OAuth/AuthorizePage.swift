/// `/oauth/authorize` (RFC 6749 section 4.1.1 with PKCE): a page on which a person chooses an
/// organisation and allows or denies, or the same at once where the fake approves by itself.
struct AuthorizePage: Sendable {
    let behaviour: OAuthBehaviour
    let authority: TokenAuthority
    let world: FakeWorld

    /// The parameters of a request whose client and redirect URI are right: only then may an error be
    /// sent to the redirect URI (RFC 6749 section 4.1.2.1).
    private struct Request {
        let redirectURI: String
        let state: String?
        let pkce: PKCE?
    }

    private enum Refusal: Error {
        case page(String)
        case redirect(Request, code: String, description: String)
    }

    /// Where the person is who has no say: a parameter of the fake, else the first organisation.
    private func organization(_ fields: FormFields) -> String? {
        fields["organization"].map(world.organizationID) ?? world.allOrganizationIDs.first
    }

    /// The consent page, or with ``OAuthBehaviour/autoApproves`` the redirect.
    func show(_ fields: FormFields?) -> FakeReply {
        guard let fields else { return refuse(.page("The query cannot be read.")) }
        do throws(Refusal) {
            let request = try check(fields)
            guard behaviour.autoApproves else { return consentPage(fields) }
            return try allow(request, fields)
        } catch {
            return refuse(error)
        }
    }

    /// The consent form came back.
    func decide(_ form: FormFields?) -> FakeReply {
        guard let form else { return refuse(.page("The form cannot be read.")) }
        do throws(Refusal) {
            let request = try check(form)
            guard form["decision"] == "allow" else {
                throw .redirect(request, code: "access_denied", description: "The person said no.")
            }
            return try allow(request, form)
        } catch {
            return refuse(error)
        }
    }

    private func check(_ fields: FormFields) throws(Refusal) -> Request {
        guard fields["client_id"] == behaviour.clientID else { throw .page("The client_id is unknown.") }
        guard let redirectURI = fields["redirect_uri"] ?? behaviour.redirectURIs.first,
            behaviour.redirectURIs.contains(redirectURI)
        else { throw .page("The redirect_uri is not registered for this app.") }
        let bare = Request(redirectURI: redirectURI, state: fields["state"], pkce: nil)
        guard fields["response_type"] == "code" else {
            throw .redirect(bare, code: "unsupported_response_type", description: "response_type must be code.")
        }
        if let name = fields.repeated {
            throw .redirect(bare, code: "invalid_request", description: "\(name) comes more than once.")
        }
        return Request(redirectURI: redirectURI, state: fields["state"], pkce: try pkce(fields, bare))
    }

    private func pkce(_ fields: FormFields, _ request: Request) throws(Refusal) -> PKCE? {
        let refuse = { (description: String) in
            Refusal.redirect(request, code: "invalid_request", description: description)
        }
        guard let challenge = fields["code_challenge"] else {
            if behaviour.requiresPKCE { throw refuse("code_challenge is missing.") }
            return nil
        }
        guard let method = PKCE.Method(rawValue: fields["code_challenge_method"] ?? "plain") else {
            throw refuse("code_challenge_method must be S256 or plain.")
        }
        guard PKCE.isWellFormed(challenge) else {
            throw refuse("code_challenge must be 43 to 128 unreserved characters.")
        }
        return PKCE(method: method, challenge: challenge)
    }

    private func allow(_ request: Request, _ fields: FormFields) throws(Refusal) -> FakeReply {
        guard let organization = organization(fields) else { throw .page("The organization is unknown.") }
        let code = authority.makeCode(
            organization: organization,
            redirectURI: request.redirectURI,
            pkce: request.pkce
        )
        return redirect(request, [("code", code)])
    }

    private func refuse(_ refusal: Refusal) -> FakeReply {
        switch refusal {
        case .page(let text): .html("<title>Pitchly</title><h1>Cannot connect</h1><p>\(text)</p>", status: 400)
        case .redirect(let request, let code, let description):
            redirect(request, [("error", code), ("error_description", description)])
        }
    }

    private func redirect(_ request: Request, _ parameters: [(String, String)]) -> FakeReply {
        let all = parameters + (request.state.map { [("state", $0)] } ?? [])
        let query = all.map { "\($0.0)=\(FormFields.encode($0.1))" }.joined(separator: "&")
        return .redirect(to: request.redirectURI + (request.redirectURI.contains("?") ? "&" : "?") + query)
    }

    private static let carried = [
        "response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method",
    ]

    private func consentPage(_ fields: FormFields) -> FakeReply {
        let hidden = Self.carried.compactMap { name in
            fields[name].map { "<input type=\"hidden\" name=\"\(name)\" value=\"\(Self.escape($0))\">" }
        }
        let options = world.allOrganizationIDs.prefix(100).map { id in
            "<option value=\"\(id)\"\(id == organization(fields) ? " selected" : "")>\(id)</option>"
        }
        return .html(
            """
            <html lang="en"><title>Allow access – Pitchly (fake)</title>
            <h1>An app asks for access</h1>
            <form method="post" action="\(FakePaths.authorize)">
            \(hidden.joined(separator: "\n"))
            <label>Organisation <select name="organization">\(options.joined())</select></label>
            <button name="decision" value="allow">Allow</button>
            <button name="decision" value="deny">Deny</button>
            </form></html>
            """
        )
    }

    private static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }
}
