import Foundation
package import Logging
import TestSupport
package import WorkerControl

/// Decides what happens at every step that a worker reaches: nothing, or the fault that the tenant's
/// trial has in store. Keeps the books on who was exposed when.
package actor FaultDirector {
    private struct Script {
        let fault: FaultKind
        var hasStruck = false
    }

    private let database: FaultDatabase
    private let fleet: WorkerFleet
    private let options: WorkerOptions
    private let logger: Logger
    private var scripts: [String: Script] = [:]
    private var book = ExposureBook()
    private var declared: [String: Int] = [:]
    private var isRestarting = false

    package init(database: FaultDatabase, fleet: WorkerFleet, options: WorkerOptions, logger: Logger) {
        self.database = database
        self.fleet = fleet
        self.options = options
        self.logger = logger
    }

    // MARK: trials

    package func arm(_ fault: FaultKind, for tenant: String) { scripts[tenant] = Script(fault: fault) }

    package func disarm(_ tenant: String) { scripts[tenant] = nil }

    package func excuses(of tenant: String) -> Set<ExposureBook.Excuse> { book.excuses(of: tenant) }

    package func forgive(_ tenant: String) { book.forgive(tenant) }

    /// How often a worker was about to present the tenant's refresh token once more and had said so.
    package func declaredPresentations(of tenant: String) -> Int { declared[tenant, default: 0] }

    /// Whether the fault of the tenant's trial has happened.
    package func hasStruck(_ tenant: String) -> Bool { scripts[tenant]?.hasStruck ?? false }

    // MARK: workers

    /// Follows a worker to its end.
    package func follow(_ worker: WorkerProcess) async {
        await withDiscardingTaskGroup { group in
            for await event in worker.events {
                switch event {
                case .reached(let number, let point, let tenant):
                    group.addTask { [self] in await reached(number, point, tenant, worker) }
                case .failed(let reason): logger.error("a worker failed", metadata: ["reason": "\(reason)"])
                case .ready: break
                case .exited: book.died(worker.name)
                }
            }
        }
    }

    private func reached(_ number: Int, _ point: String, _ tenant: String, _ worker: WorkerProcess) async {
        guard let step = FaultKind.Step(rawValue: point) else { return worker.send(.go(number)) }
        book.reached(step, tenant: tenant, worker: worker.name)
        if step == .sending { await noteRung(tenant) }
        guard let fault = scripts[tenant]?.fault, scripts[tenant]?.hasStruck == false, fault.strikes(at: step) else {
            return worker.send(.go(number))
        }
        scripts[tenant]?.hasStruck = true
        do {
            try await strike(fault, tenant, worker, number)
        } catch {
            logger.error("a fault could not be made", metadata: ["fault": "\(fault.name)", "error": "\(error)"])
            worker.send(.go(number))
        }
    }

    private func noteRung(_ tenant: String) async {
        // A database that is just being restarted answers a little later.
        for _ in 0..<50 {
            if let rung = try? await database.openRung(of: tenant) {
                if rung == "late_probe" || rung == "replay" { declared[tenant, default: 0] += 1 }
                return
            }
            try? await ContinuousClock().sleep(for: .milliseconds(100))
        }
    }

    // MARK: faults

    private func strike(_ fault: FaultKind, _ tenant: String, _ worker: WorkerProcess, _ number: Int) async throws {
        switch fault {
        case .kill: return worker.signal(SIGKILL)
        case .stop: await standStill(worker)
        case .stopAndCut:
            await standStill(worker) { worker.database.cutAll() }
        case .terminate: worker.signal(SIGTERM)
        case .diskFull: return worker.send(.go(number, spoolFails: true))
        case .sessionKilled: try await database.killHolder(of: tenant)
        case .connectionCut: worker.database.cutAll()
        case .answerLost: worker.database.set(.cutReply(after: 0), once: true)
        case .refused: worker.provider.set(.refuse, once: true)
        case .requestCut(let bytes): worker.provider.set(.cutRequest(after: bytes), once: true)
        case .replyCut(let bytes): worker.provider.set(.cutReply(after: bytes), once: true)
        case .restart: try await restartDatabase()
        default: break
        }
        worker.send(.go(number))
    }

    /// Until every intent that it may have open has run out.
    private func standStill(_ worker: WorkerProcess, meanwhile: () -> Void = {}) async {
        worker.signal(SIGSTOP)
        book.stoodStill(worker.name)
        meanwhile()
        try? await ContinuousClock().sleep(for: options.intentLifetime + .seconds(options.serverTimeLimitSeconds))
        book.stoodStill(worker.name)
        worker.signal(SIGCONT)
    }

    private func restartDatabase() async throws {
        guard !isRestarting else { return }
        isRestarting = true
        defer { isRestarting = false }
        try await database.server.restart(mode: .immediate)
    }

    /// What is done to the owner of an exchange while the provider holds its request.
    package func strikeInFlight(_ fault: FaultKind, tenant: String, letGo: @Sendable () -> Void) async throws {
        scripts[tenant]?.hasStruck = true
        switch fault {
        case .sessionKilledInFlight: try await database.killHolder(of: tenant)
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

extension FaultKind {
    /// The step at which the director does something.
    func strikes(at step: Step) -> Bool {
        switch self {
        case .kill(let at), .stop(let at), .stopAndCut(let at), .terminate(let at), .sessionKilled(let at),
            .connectionCut(let at), .answerLost(let at), .restart(let at):
            at == step
        case .refused, .requestCut, .replyCut: step == .sending
        case .diskFull: step == .replied
        default: false
        }
    }
}
