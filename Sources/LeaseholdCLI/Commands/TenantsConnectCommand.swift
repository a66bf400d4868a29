import ArgumentParser
import ControlAPI
import Foundation
import LeaseholdCore
import TokenVault

/// Gives a tenant its credential, or a new one.
struct TenantsConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Gives a tenant its credential, or a new one; parked jobs go on.",
        discussion: """
            One of five ways. Tokens come from files, never from the command line, because a process list is public; \
            `-` is standard input.

              leasehold tenants connect acme --link
                  prints a link that a person of the organisation opens in a browser; leasehold serve answers it
              leasehold tenants connect acme --access-token-file F
                  F holds the access token of a user's session, which is exchanged for access and refresh token
              leasehold tenants connect acme --code C --code-verifier V --redirect-uri U
                  an authorization code with PKCE (RFC 7636)
              leasehold tenants connect acme --refresh-token-file F
                  F holds a refresh token that nobody else uses
              leasehold tenants connect acme --client-credentials --organization ORG
                  an app that is installed in the organisation needs no refresh token
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Tenant id.") var tenant: String
    @Flag(help: "Print a link for a person with a browser, good once, for ten minutes.") var link = false
    @Option(help: "File with the access token of a user's session.") var accessTokenFile: String?
    @Option(help: "Authorization code; it is good for one exchange within a short time.") var code: String?
    @Option(help: "PKCE verifier that belongs to the code.") var codeVerifier: String?
    @Option(help: "Redirect URI that the code was issued for.") var redirectUri: String?
    @Option(help: "File with a refresh token.") var refreshTokenFile: String?
    @Flag(help: "Use the grant client_credentials.") var clientCredentials = false
    @Option(help: "Pitchly's id of the organisation.") var organization: String?

    func run() async throws {
        let tenant = try TenantID(tenant)
        if link { return try await makeLink(tenant) }
        let grant = try grant()
        try await Composition(settings, command: "tenants").withVault { vault in
            let token = try await vault.connect(tenant, with: grant, organization: organization)
            output.say(
                "\(tenant) is connected, generation \(token.generation)",
                ["tenant": tenant.rawValue, "generation": String(token.generation)]
            )
        }
    }

    private var chosen: Int {
        [link, accessTokenFile != nil, code != nil, refreshTokenFile != nil, clientCredentials].count { $0 }
    }

    private func makeLink(_ tenant: TenantID) async throws {
        guard chosen == 1 else { throw ConnectChoiceError(got: "\(chosen) of them", tenant: self.tenant) }
        let composition = try Composition(settings, command: "tenants")
        let link = try await composition.withPool { pool in
            try await ConnectLink.make(for: tenant, pool: pool, settings: composition.serverSettings)
        }
        output.say(link.url, ["url": link.url, "expires at": Times.stamp(link.expiresAt)])
    }

    /// - Throws: ``ConnectChoiceError`` unless exactly one way is chosen, with all it needs.
    private func grant() throws -> TokenGrant {
        guard chosen == 1 else { throw ConnectChoiceError(got: "\(chosen) of them", tenant: tenant) }
        if let accessTokenFile { return .accessToken(try SecretFile.read(accessTokenFile)) }
        if let refreshTokenFile { return .refreshToken(try SecretFile.read(refreshTokenFile)) }
        if let code {
            guard let codeVerifier, let redirectUri else {
                throw ConnectChoiceError(got: "--code without --code-verifier and --redirect-uri", tenant: tenant)
            }
            return .authorizationCode(
                code: Secret(code),
                codeVerifier: Secret(codeVerifier),
                redirectURI: redirectUri
            )
        }
        guard let organization else {
            throw ConnectChoiceError(got: "--client-credentials without --organization", tenant: tenant)
        }
        return .clientCredentials(organization: organization)
    }
}

/// Not exactly one way of connecting was chosen.
struct ConnectChoiceError: ExplainedError {
    let got: String
    let tenant: String
    var label: String { "connect_choice" }
    var message: String {
        "expected one of --link, --access-token-file, --code, --refresh-token-file and --client-credentials with all it needs, got \(got)"
    }
    var hint: String? { "leasehold tenants connect \(tenant) --access-token-file FILE" }
}
