import Crypto
import Foundation
package import LeaseholdCore
package import Logging
package import Postgres
import SQLFiles

/// Keeps every tenant's single-use refresh token: none is presented twice by accident, and none is
/// lost that could have been kept.
///
/// The row's lock says that the owner of an exchange is alive, a committed intent says that the token
/// was presented, and a spool says what came back. The steps:
///
/// | step | where |
/// |---|---|
/// | 0 keys and spool are fit, 1 intent, 2 lock, 3 POST | `TokenVault+exchange.swift` |
/// | 4 bytes to the spool, 5 parse, 6 save, 7 publish | `TokenVault+settle.swift` |
/// | callers and their waits | `TokenVault+access.swift` |
/// | spools of lost commits and dead workers | `TokenVault+replay.swift` |
/// | the recovery ladder | `TokenVault+recover.swift` |
/// | first exchanges | `TokenVault+connect.swift` |
/// | sealing anew | `TokenVault+keys.swift` |
/// | on request; looking, without any token | `TokenVault+refresh.swift`, ``CredentialInspector`` |
package final class TokenVault: Sendable {
    package let profile: ProviderProfile
    package let settings: VaultSettings
    let exchange: TokenExchange
    let keys: any KeyProvider
    let spool: any SpoolStore
    let store: CredentialStore
    let ladder: RecoveryLadder
    let time: Timeline
    let wallClock: any WallClock
    let random: RandomSource
    let logger: Logger
    let faultHook: VaultFaultHook?

    let cache = TokenCache()
    let flights = FlightBoard()
    let drain: ExchangeDrain
    let inFlight = AttemptSet()

    /// - Parameters:
    ///   - pool: of the primary; each exchange holds one of its connections over the POST.
    ///   - exchange: makes one POST, without any retry.
    ///   - client: of ``clientCheck(id:secret:endpoint:)``; workers whose client was refused stop, others go on.
    ///   - faultHook: only for tests.
    /// - Throws: ``VaultSettingError``.
    package init(
        pool: PostgresPool,
        exchange: @escaping TokenExchange,
        keys: any KeyProvider,
        spool: any SpoolStore,
        profile: ProviderProfile = ProviderProfile(),
        settings: VaultSettings = VaultSettings(),
        client: String,
        worker: WorkerID = WorkerID(),
        clock: any Clock<Duration> = ContinuousClock(),
        wallClock: any WallClock = SystemWallClock(),
        random: RandomSource = RandomSource(),
        logger: Logger,
        faultHook: VaultFaultHook? = nil
    ) throws(VaultSettingError) {
        self.profile = try profile.validated()
        self.settings = try settings.validated(profile: profile, poolSize: pool.size)
        self.exchange = exchange
        self.keys = keys
        self.spool = spool
        store = CredentialStore(pool: pool, provider: profile.name, client: client, worker: worker)
        ladder = RecoveryLadder(profile: profile, spoolPatience: settings.spoolPatience)
        time = Timeline(clock)
        self.wallClock = wallClock
        self.random = random
        self.logger = logger
        self.faultHook = faultHook
        drain = ExchangeDrain(limit: settings.exchangeLimit)
    }

    /// Makes the provider's row and checks that this process holds every key that is in use.
    ///
    /// - Throws: ``KeyRingError``, ``PostgresError``.
    package func prepare() async throws {
        try await store.pool.query(
            .providerRegister,
            profile.name,
            profile.exchangesPerSecond,
            Int32(clamping: profile.burst),
            settings.failoverHold(profile).milliseconds
        )
        try await registerKeys()
    }

    /// Ends every wait and returns when the exchanges under way are settled. Later calls are refused.
    package func shutDown() async {
        flights.close()
        await drain.drained()
    }

    /// Names a client without giving its secret away.
    package static func clientCheck(id: String, secret: Secret, endpoint: String) -> String {
        let hash = SHA256.hash(data: Data("\(id)\n\(endpoint)\n\(secret.reveal())".utf8))
        return hash.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    func reach(_ point: VaultFaultPoint, _ tenant: TenantID) async {
        await faultHook?(point, tenant)
    }

    func chance() -> Double { random.uniform(in: 0...1) }

    func currentSealer() async throws -> Sealer { Sealer(ring: try await keys.keyRing()) }
}
