import Foundation
import Hummingbird
import LeaseholdCore
import TokenVault

/// Give a tenant its credential, and get an access token of it. There is no way by which a refresh
/// token leaves.
struct TokenRoutes: Sendable {
    let vault: TokenVault?

    var routes: [Route] {
        [
            Route(.post, "/v1/tenants/{tenant}/credential", .key(.tokensWrite), connect),
            Route(.get, "/v1/tenants/{tenant}/access-token", .key(.tokensRead), accessToken),
        ]
    }

    /// The access token of a user's session goes in; it is exchanged for an access and a refresh token
    /// here, and both are stored.
    @Sendable private func connect(_ request: ControlRequest) async throws -> Response {
        let tenant = try request.tenant()
        let (body, _) = try await request.json(CredentialBody.self)
        guard let vault else { throw Problem.noVault() }
        let grant: TokenGrant =
            switch body.grant {
            case .accessToken(let token): .accessToken(token)
            case .refreshToken(let token): .refreshToken(token)
            }
        let token = try await vault.connect(tenant, with: grant)
        return .json(Self.standing(tenant, token).text, status: .created)
    }

    @Sendable private func accessToken(_ request: ControlRequest) async throws -> Response {
        let tenant = try request.tenant()
        let refused = try Self.refusedGeneration(request)
        guard let vault else { throw Problem.noVault() }
        let token = try await vault.accessToken(for: tenant, replacing: refused)
        var object = Self.standing(tenant, token)
        object.set("access_token", token.token.reveal())
        object.set("token_type", "Bearer")
        // `.json` says no-store (RFC 6749 section 5.1).
        return .json(object.text)
    }

    /// The generation that the API refused as unauthenticated, so that it is replaced.
    private static func refusedGeneration(_ request: ControlRequest) throws -> Int64? {
        guard let text = request.query("refused_generation") else { return nil }
        guard let generation = Int64(text), generation >= 0 else {
            throw Problem(
                .badRequest,
                "invalid_generation",
                "expected refused_generation to be a whole number from 0, got \"\(text.prefix(40))\""
            )
        }
        return generation
    }

    private static func standing(_ tenant: TenantID, _ token: AccessToken) -> JSONObjectText {
        var object = JSONObjectText()
        object.set("tenant", tenant.rawValue)
        object.set("generation", json: String(token.generation))
        object.set("expires_at", token.expiresAt)
        return object
    }
}

/// What `POST /v1/tenants/{tenant}/credential` takes: exactly one token.
struct CredentialBody: Decodable {
    enum Grant {
        case accessToken(Secret)
        case refreshToken(Secret)
    }

    let grant: Grant

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: AnyKey.self)
        let names = ["access_token", "refresh_token"]
        guard members.allKeys.count == 1, let key = members.allKeys.first, names.contains(key.stringValue) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "to have either access_token or refresh_token")
            )
        }
        let text = try members.decode(String.self, forKey: key)
        // A token is sent in a header or a form; white space or control characters mean a mistake.
        guard (1...16_384).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [key], debugDescription: "to be 1 to 16384 printable characters without blanks")
            )
        }
        grant = key.stringValue == "access_token" ? .accessToken(Secret(text)) : .refreshToken(Secret(text))
    }
}
