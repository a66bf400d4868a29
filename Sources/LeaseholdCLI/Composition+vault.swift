import Foundation
import LeaseholdCore
import Pitchly
import Postgres
import TokenVault

extension Composition {
    /// Runs `body` with a vault of its own, then waits for exchanges under way and closes everything.
    func withVault<Result>(_ body: (TokenVault) async throws -> Result) async throws -> Result {
        try await withVaultParts { vault, _, _ in try await body(vault) }
    }

    /// ``withVault(_:)`` with what the vault stands on.
    func withVaultParts<Result>(
        _ body: (TokenVault, PostgresPool, PitchlyTransport) async throws -> Result
    ) async throws -> Result {
        try await withPool { pool in
            try await withTransport { transport in
                let vault = try await makeVault(pool: pool, transport: transport, mayExchange: true)
                try await vault.prepare()
                do {
                    let result = try await body(vault, pool, transport)
                    await vault.shutDown()
                    return result
                } catch {
                    await vault.shutDown()
                    throw error
                }
            }
        }
    }

    /// Runs `body` with what can look at credentials: the database is all it needs.
    func withInspector<Result>(_ body: (CredentialInspector) async throws -> Result) async throws -> Result {
        try await withPool { try await body(CredentialInspector(pool: $0)) }
    }

    /// Whether this process is given all that an exchange takes.
    var hasVaultSettings: Bool {
        let alternatives = [
            ["keyring", "keyringFile"], ["spoolDir"], ["pitchly.clientID"],
            ["pitchly.clientSecret", "pitchly.clientSecretFile"],
        ]
        return alternatives.allSatisfy { keys in keys.contains { settings.text($0) != nil } }
    }

    func withTransport<Result>(_ body: (PitchlyTransport) async throws -> Result) async throws -> Result {
        try await PitchlyTransport.withTransport(PitchlyTransport.Configuration(), body)
    }

    /// - Parameter mayExchange: false for a process without the role `refresh`.
    func makeVault(pool: PostgresPool, transport: PitchlyTransport, mayExchange: Bool) async throws -> TokenVault {
        let oauth = try oauthConfiguration()
        let client = OAuthClient(configuration: oauth, transport: transport, logger: logger)
        var vaultSettings = VaultSettings()
        vaultSettings.mayExchange = mayExchange
        FaultWire.shorten(&vaultSettings)
        vaultSettings.exchangeLimit = max(1, min(settings.number("worker.exchanges"), pool.size - 1))
        vaultSettings.patience = max(vaultSettings.patience, profile.deadline + .seconds(15))
        return try TokenVault(
            pool: pool,
            exchange: client.tokenExchange,
            keys: try keyProvider(),
            spool: try await spool(),
            profile: profile,
            settings: vaultSettings,
            client: TokenVault.clientCheck(
                id: oauth.clientID,
                secret: oauth.clientSecret,
                endpoint: settings.text("pitchly.oauthOrigin") ?? ""
            ),
            logger: logger,
            faultHook: FaultWire.hook()
        )
    }

    private var profile: ProviderProfile {
        var profile = ProviderProfile()
        profile.deadline = .seconds(settings.number("pitchly.exchangeDeadlineSeconds"))
        profile.serverTimeLimit = .seconds(settings.number("pitchly.serverTimeLimitSeconds"))
        let grace = settings.number("pitchly.graceSeconds")
        profile.grace = grace == 0 ? nil : .seconds(grace)
        profile.allowsAccessTokenExchange = settings.isOn("pitchly.allowsAccessTokenExchange")
        profile.allowsClientCredentials = settings.isOn("pitchly.allowsClientCredentials")
        profile.exchangesPerSecond = Double(settings.number("pitchly.exchangesPerSecond"))
        profile.burst = settings.number("pitchly.exchangesPerSecond")
        return profile
    }

    func oauthConfiguration() throws -> OAuthConfiguration {
        let origin = try PitchlyURL(
            settings.text("pitchly.oauthOrigin") ?? "",
            setting: "LEASEHOLD_PITCHLY_OAUTH_ORIGIN"
        )
        var configuration = try OAuthConfiguration(
            origin: origin,
            clientID: try settings.required("pitchly.clientID", purpose: "the App ID of your Pitchly app"),
            clientSecret: try clientSecret()
        )
        configuration.accessTokenGrant.path = settings.text("pitchly.accessTokenExchangePath")
        if let grant = settings.text("pitchly.accessTokenExchangeGrant") {
            configuration.accessTokenGrant.grantType = grant
        }
        if let parameter = settings.text("pitchly.accessTokenExchangeParameter") {
            configuration.accessTokenGrant.parameter = parameter
        }
        return configuration
    }

    private func clientSecret() throws -> Secret {
        if let path = settings.text("pitchly.clientSecretFile") { return try SecretFile.read(path) }
        return Secret(
            try settings.required(
                "pitchly.clientSecret",
                purpose: "the App Secret of your Pitchly app (or LEASEHOLD_PITCHLY_CLIENT_SECRET_FILE)"
            )
        )
    }

    func keyProvider() throws -> any KeyProvider {
        if let text = settings.text("keyring") {
            return FixedKeyProvider(try KeyRing(parsing: text, source: "LEASEHOLD_KEYRING"))
        }
        return FileKeyProvider(
            path: try settings.required("keyringFile", purpose: "the file made by leasehold keys new")
        )
    }

    private func spool() async throws -> any SpoolStore {
        let path = try settings.required(
            "spoolDir",
            purpose: "a folder on a durable disk for replies of the token endpoint"
        )
        let first = try await DirectorySpool.open(path: path)
        guard let copy = settings.text("spoolCopyDir") else { return first }
        return MirroredSpool(first, try await DirectorySpool.open(path: copy), logger: logger)
    }
}
