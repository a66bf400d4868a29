import Foundation
import LeaseholdCore
import Synchronization
import TokenVault
import WorkerControl

/// The wire to whoever started this process: says which step is reached and waits until it may go on.
///
/// Lines are shorter than a pipe's atomic write and are written with `write`, so that a process that
/// is killed has said everything it has done.
final class FaultLine: Sendable {
    private struct State {
        var lastNumber = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var failingSpools: Set<String> = []
        var tenants: [Int: String] = [:]
    }

    private let state = Mutex(State())

    /// Reads orders until the other end is gone, and then ends this process.
    func listen() {
        Thread.detachNewThread { [self] in
            while let line = readLine() {
                if let order = WorkerOrder(line: line) { obey(order) }
            }
            _exit(3)
        }
    }

    func say(_ report: WorkerReport) {
        let bytes = Array((report.line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }

    func reach(_ point: VaultFaultPoint, _ tenant: TenantID) async {
        await withCheckedContinuation { continuation in
            let number = state.withLock { state in
                state.lastNumber += 1
                state.waiting[state.lastNumber] = continuation
                state.tenants[state.lastNumber] = tenant.rawValue
                return state.lastNumber
            }
            say(.reached(number: number, point: point.rawValue, tenant: tenant.rawValue))
        }
    }

    /// Whether the next write for this tenant is to fail; once.
    func takeSpoolFailure(_ tenant: TenantID) -> Bool {
        state.withLock { $0.failingSpools.remove(tenant.rawValue) != nil }
    }

    private func obey(_ order: WorkerOrder) {
        guard case .go(let number, let spoolFails) = order else { return }
        let continuation = state.withLock { state in
            let tenant = state.tenants.removeValue(forKey: number)
            if spoolFails, let tenant { state.failingSpools.insert(tenant) }
            return state.waiting.removeValue(forKey: number)
        }
        continuation?.resume()
    }
}
