import Foundation
import LeaseholdCore
import Logging
import TestSupport
import TokenVault

/// Decides what happens at every step that a worker reaches: nothing, or the fault that the tenant's
/// trial has in store. Keeps the books on who was exposed when.
package actor FaultDirector {
    private struct Script {
        let fault: FaultKind
        var hasStruck = false
        /// The spool was written although its disk was full.
        var wasHarmless = false
    }

    /// The primary.
    private(set) var server: PrivatePostgres
    private let database: FaultDatabase
    private let fleet: WorkerFleet
    /// Longer than an intent of these workers stays open if its owner dies.
    private let intentLifetime: Duration
    private let logger: Logger
    private var scripts: [String: Script] = [:]
    private var book = ExposureBook()
    private var declared: [String: Int] = [:]
    private var isRestarting = false

    init(
        server: PrivatePostgres,
        database: FaultDatabase,
        fleet: WorkerFleet,
        intentLifetime: Duration,
        logger: Logger
    ) {
        self.server = server
        self.database = database
        self.fleet = fleet
        self.intentLifetime = intentLifetime
        self.logger = logger
    }

    // MARK: trials

    func arm(_ fault: FaultKind, for tenant: String) { scripts[tenant] = Script(fault: fault) }

    /// Waits for the fault: the row tells of its save before the worker tells that it came so far.
    func struck(_ tenant: String, within limit: Duration) async throws {
        let end = ContinuousClock.now + limit
        while scripts[tenant]?.hasStruck == false, ContinuousClock.now < end {
            try await ContinuousClock().sleep(for: .milliseconds(10))
        }
    }

    /// - Returns: whether the fault has happened.
    func disarm(_ tenant: String) -> Bool {
        guard let script = scripts.removeValue(forKey: tenant) else { return false }
        return script.hasStruck && !script.wasHarmless
    }

    /// Whether its worker died between the POST and the first write, or was kept waiting by this stage.
    func isExcused(_ tenant: String) -> Bool { book.isExcused(tenant) }

    func forgive(_ tenant: String) { book.forgive(tenant) }

    /// How often a worker was about to present the tenant's refresh token once more and had said so.
    func declaredPresentations(of tenant: String) -> Int { declared[tenant, default: 0] }

    // MARK: workers

    /// Follows a worker to its end.
    func follow(_ worker: WorkerProcess) async {
        await withDiscardingTaskGroup { group in
            for await event in worker.events {
                switch event {
                case .reached(let number, let point, let tenant):
                    group.addTask { [self] in await reached(number, point, tenant, worker) }
                case .exited: book.died(worker.name)
                }
            }
        }
    }

    private func reached(_ number: Int, _ point: String, _ tenant: String, _ worker: WorkerProcess) async {
        guard let step = FaultKind.Step(rawValue: point) else { return worker.go(number) }
        book.reached(step, tenant: tenant, worker: worker.name)
        do {
            if step == .sending { try await noteRung(tenant) }
            if case .diskFull = scripts[tenant]?.fault, scripts[tenant]?.hasStruck == true {
                if step == .spooled { scripts[tenant]?.wasHarmless = true }
                if step == .parsed { try await worker.limitFiles(to: nil) }
            }
            if let fault = scripts[tenant]?.fault, scripts[tenant]?.hasStruck == false, fault.strikes(at: step) {
                scripts[tenant]?.hasStruck = true
                if try await strike(fault, tenant, worker) { return }
            }
        } catch {
            logger.error(
                "a fault could not be made",
                metadata: ["tenant": "\(tenant)", "step": "\(point)", "error": "\(errorText(error))"]
            )
        }
        worker.go(number)
    }

    private func noteRung(_ tenant: String) async throws {
        let rung = try await database.openRung(of: tenant)
        if rung == "late_probe" || rung == "replay" { declared[tenant, default: 0] += 1 }
    }

    // MARK: faults

    /// - Returns: whether the worker is gone.
    private func strike(_ fault: FaultKind, _ tenant: String, _ worker: WorkerProcess) async throws -> Bool {
        switch fault {
        case .kill:
            worker.signal(SIGKILL)
            return true
        case .stop: await standStill(worker)
        case .stopAndCut: await standStill(worker) { worker.database.cutAll() }
        case .terminate: worker.signal(SIGTERM)
        case .diskFull: try await worker.limitFiles(to: 0)
        case .sessionKilled: try await database.killHolder(of: tenant)
        case .connectionCut: worker.database.cutAll()
        case .answerLost: worker.database.set(.cutAnswer, once: true)
        case .turnedAway: worker.provider.set(.refuse, once: true)
        case .requestCut(let bytes): worker.provider.set(.cutRequest(after: bytes), once: true)
        case .replyCut(let bytes): worker.provider.set(.cutReply(after: bytes), once: true)
        case .restart: try await restartDatabase()
        default: break
        }
        return false
    }

    /// Until every intent that it may have open has run out.
    private func standStill(_ worker: WorkerProcess, meanwhile: () -> Void = {}) async {
        worker.signal(SIGSTOP)
        meanwhile()
        try? await ContinuousClock().sleep(for: intentLifetime)
        worker.signal(SIGCONT)
    }

    private func restartDatabase() async throws {
        guard !isRestarting else { return }
        isRestarting = true
        defer { isRestarting = false }
        try await server.restart(mode: .immediate)
    }

    /// The primary dies, `standby` takes its place, and every connection leads there.
    func failOver(to standby: PrivatePostgres) async throws {
        while isRestarting { try await ContinuousClock().sleep(for: .milliseconds(20)) }
        isRestarting = true
        defer { isRestarting = false }
        try await server.stop(mode: .immediate)
        try await standby.promote()
        server = standby
        database.move(to: standby)
        await fleet.move(to: standby)
    }

    /// What is done to the owner of an exchange while the provider holds its request.
    ///
    /// - Parameter deadline: of a worker's POST.
    func strikeInFlight(
        _ fault: FaultKind,
        tenant: String,
        deadline: Duration,
        letGo: @Sendable () -> Void
    ) async throws {
        scripts[tenant]?.hasStruck = true
        switch fault {
        case .sessionKilledInFlight:
            // While the database restarts, this takes its time.
            try await database.killHolder(of: tenant)
            book.answered(tenant, deadline: deadline)
        case .killInFlight: await owner(of: tenant)?.signal(SIGKILL)
        case .stopInFlight:
            if let worker = await owner(of: tenant) {
                // The reply comes while it stands still, and lies in its socket.
                await standStill(worker, meanwhile: letGo)
            }
        default: break
        }
        letGo()
    }

    private func owner(of tenant: String) async -> WorkerProcess? {
        guard let name = book.worker(of: tenant) else { return nil }
        return await fleet.worker(name)
    }
}
