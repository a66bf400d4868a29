import LeaseholdCore
import Logging
import Synchronization

extension PostgresPool {
    typealias State = PoolState<PostgresConnection>

    /// One connection lent to one caller; goes back through ``release(_:)``.
    struct Lease: Sendable {
        let connection: PostgresConnection
        let bornAt: Duration
        /// Made for this lease: if it is lost too, another would be as well.
        let isNew: Bool
    }

    /// Takes a connection and runs `first` on it. If the connection, which was idle before, proves
    /// dead then and `mayRepeat` agrees, a new one takes its place.
    /// - Parameter trusting: what is known of an idle connection is enough, since `first` finds out.
    func acquire(
        trusting: Bool = false,
        first: (PostgresConnection) async throws -> Void = { _ in },
        mayRepeat: (PostgresError) -> Bool = { _ in false }
    ) async throws -> Lease {
        let grant = try await admission()
        var lease = try await makeLease(grant, trusting: trusting)
        while true {
            do {
                try await first(lease.connection)
                return lease
            } catch let error as PostgresError where !lease.isNew && error.isConnectionLost && mayRepeat(error) {
                await lease.connection.close()
                forget(lease.connection)
                lease = try await makeLease(.slot(notBefore: shared.withLock { $0.state.replacement() }))
            } catch {
                await release(lease)
                throw error
            }
        }
    }

    func release(_ lease: Lease) async {
        var isReusable = lease.connection.isKnownReusable.load(ordering: .acquiring)
        if !isReusable { isReusable = await lease.connection.isReusable }
        if !isReusable { await reportUnusable(lease.connection) }
        let release = shared.withLock { shared in
            shared.leases[ObjectIdentifier(lease.connection)] = nil
            return shared.state.release(
                lease.connection,
                bornAt: lease.bornAt,
                isReusable: isReusable,
                now: time.now()
            )
        }
        switch release {
        case .kept: break
        case .hand(let ticket, let grant): hand(grant, to: ticket)
        case .close: await lease.connection.close()
        case .closeAndHand(let ticket, let grant):
            await lease.connection.close()
            hand(grant, to: ticket)
        }
        countAndWakeDrain()
    }

    /// A slot or a connection, at once or after a wait.
    private func admission() async throws -> State.Grant {
        let started = time.now()
        let acquisition = shared.withLock { $0.state.acquire(now: started) }
        defer { PostgresMetrics.waited(time.now() - started) }
        switch acquisition {
        case .use(let connection, let bornAt): return .connection(connection, bornAt: bornAt)
        case .connect(let notBefore): return .slot(notBefore: notBefore)
        case .wait(let ticket): return try await wait(ticket)
        case .refuse: throw PostgresError.poolClosed
        }
    }

    private func makeLease(_ grant: State.Grant, trusting: Bool = false) async throws -> Lease {
        switch grant {
        case .connection(let connection, let bornAt):
            var isReusable = trusting && connection.isKnownReusable.load(ordering: .acquiring)
            if !isReusable { isReusable = await connection.isReusable }
            guard isReusable else {
                await connection.close()
                return try await makeLease(.slot(notBefore: shared.withLock { $0.state.replacement() }))
            }
            return register(Lease(connection: connection, bornAt: bornAt, isNew: false))
        case .slot(let notBefore):
            return register(try await connect(notBefore: notBefore))
        }
    }

    private func register(_ lease: Lease) -> Lease {
        shared.withLock { $0.leases[ObjectIdentifier(lease.connection)] = lease.connection }
        countAndWakeDrain()
        return lease
    }

    private func forget(_ connection: PostgresConnection) {
        shared.withLock { $0.leases[ObjectIdentifier(connection)] = nil }
    }

    /// Connects in the caller's own task, so that its cancellation ends the attempt.
    private func connect(notBefore: Duration) async throws -> Lease {
        do {
            let delay = notBefore - time.now()
            if delay > .zero { try await time.sleep(delay) }
            let connection = try await PostgresConnection.connect(configuration, logger: logger)
            shared.withLock { $0.state.didConnect() }
            PostgresMetrics.connected(outcome: "ok")
            return Lease(connection: connection, bornAt: time.now(), isNew: true)
        } catch {
            let wasCancelled = error is CancellationError
            if !wasCancelled { PostgresMetrics.connected(outcome: errorLabel(error)) }
            let jitter = random.uniform(in: 0...1)
            let next = shared.withLock { shared in
                wasCancelled
                    ? shared.state.freeSlot()
                    : shared.state.didFailToConnect(now: time.now(), jitter: jitter)
            }
            if let next { hand(next.grant, to: next.ticket) }
            countAndWakeDrain()
            throw error
        }
    }

    /// Waits in line until served, out of time or cancelled.
    private func wait(_ ticket: UInt64) async throws -> State.Grant {
        try await withThrowingTaskGroup(of: State.Grant?.self) { group in
            group.addTask { try await self.standInLine(ticket) }
            group.addTask {
                try await self.time.sleep(self.waitLimit)
                return nil
            }
            defer { group.cancelAll() }
            var failure: any Error = CancellationError()
            while let result = await group.nextResult() {
                switch result {
                case .success(.some(let grant)): return grant
                case .success(nil):
                    failure = PostgresError.poolExhausted(size: self.size, waited: self.waitLimit)
                    group.cancelAll()
                case .failure(let error):
                    if !(error is CancellationError) { failure = error }
                    group.cancelAll()
                }
            }
            throw failure
        }
    }

    private func standInLine(_ ticket: UInt64) async throws -> State.Grant? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // The line may have moved on, or the task ended, before the continuation was there.
                let early: Result<State.Grant, any Error>? = shared.withLock { shared in
                    if let grant = shared.early.removeValue(forKey: ticket) { return .success(grant) }
                    if shared.state.isClosed { return .failure(PostgresError.poolClosed) }
                    if Task.isCancelled, shared.state.giveUp(ticket) { return .failure(CancellationError()) }
                    shared.waiting[ticket] = continuation
                    return nil
                }
                if let early { continuation.resume(with: early) }
            }
        } onCancel: {
            let continuation = shared.withLock { shared in
                shared.waiting[ticket] != nil && shared.state.giveUp(ticket)
                    ? shared.waiting.removeValue(forKey: ticket) : nil
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    private func hand(_ grant: State.Grant, to ticket: UInt64) {
        let continuation = shared.withLock { shared in
            let continuation = shared.waiting.removeValue(forKey: ticket)
            if continuation == nil { shared.early[ticket] = grant }
            return continuation
        }
        continuation?.resume(returning: grant)
    }

    private func reportUnusable(_ connection: PostgresConnection) async {
        let status = await connection.transactionStatus
        guard status == .inTransaction || status == .failed || status == .active else { return }
        logger.warning(
            "a connection came back in the middle of something and is closed",
            metadata: ["transaction": "\(status)"]
        )
    }

    func countAndWakeDrain() {
        let (idle, leased, drained) = shared.withLock { shared in
            var drained: [CheckedContinuation<Void, Never>] = []
            if shared.state.isDrained { swap(&drained, &shared.whenDrained) }
            return (shared.state.idleCount, shared.state.leased, drained)
        }
        PostgresMetrics.connections(idle: idle, leased: leased)
        for continuation in drained { continuation.resume() }
    }
}

extension PostgresError {
    static let poolClosed = PostgresError(.poolClosed, "the connection pool is closed: the program is stopping")

    static func poolExhausted(size: Int, waited: Duration) -> PostgresError {
        PostgresError(
            .poolExhausted,
            "expected a free database connection within \(waited), got none: all \(size) are in use",
            hint: "raise the pool's size, or keep connections for a shorter time"
        )
    }
}
