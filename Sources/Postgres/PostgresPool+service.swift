import LeaseholdCore
import Logging
import ServiceLifecycle
import Synchronization

extension PostgresPool {
    private static let sweepEvery = Duration.seconds(30)
    /// How long ``close()`` waits for connections that are still lent out.
    private static let drainLimit = Duration.seconds(10)

    /// Keeps the pool tidy until the graceful shutdown or the task's cancellation, then closes it.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await self.time.sleep(Self.sweepEvery)) != nil {
                await self.sweep()
            }
        }
        await close()
    }

    /// Closes connections that are too old or were idle for too long.
    func sweep() async {
        let old = shared.withLock { $0.state.sweep(now: time.now()) }
        for connection in old { await connection.close() }
        countAndWakeDrain()
    }

    /// Refuses new callers, waits for leases to end (10 s at most, then they are cut off) and closes
    /// every connection. Harmless if called again.
    package func close() async {
        let (idle, waiting) = shared.withLock { shared in
            let (idle, tickets) = shared.state.close()
            let waiting = tickets.compactMap { shared.waiting.removeValue(forKey: $0) }
            return (idle, waiting)
        }
        for continuation in waiting { continuation.resume(throwing: PostgresError.poolClosed) }
        for connection in idle { await connection.close() }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.drained() }
            group.addTask {
                guard (try? await self.time.sleep(Self.drainLimit)) != nil else { return }
                await self.cutOffLeases()
            }
            await group.next()
            group.cancelAll()
        }
        countAndWakeDrain()
    }

    /// Ends the connections still lent out, and the wait for them: their users get errors.
    private func cutOffLeases() async {
        let (connections, drained) = shared.withLock { shared in
            var drained: [CheckedContinuation<Void, Never>] = []
            swap(&drained, &shared.whenDrained)
            return (Array(shared.leases.values), drained)
        }
        logger.warning("closing connections that are still in use", metadata: ["count": "\(connections.count)"])
        for connection in connections { await connection.close() }
        for continuation in drained { continuation.resume() }
    }

    private func drained() async {
        await withCheckedContinuation { continuation in
            let isDrained = shared.withLock { shared in
                if !shared.state.isDrained { shared.whenDrained.append(continuation) }
                return shared.state.isDrained
            }
            if isDrained { continuation.resume() }
        }
    }
}
