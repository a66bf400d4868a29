import Foundation
import LeaseholdCore
import Synchronization

/// Which claims of this process are still open, so that a heartbeat can say up to when all of a
/// worker's leases are done with; the database then forgets them without looking at each job.
///
/// Times are those of the database. A claim whose answer is not known (its connection broke) makes
/// the book say nothing any more for that worker, and the database looks for itself.
final class LeaseBook: Sendable {
    struct Claim: Sendable {
        fileprivate let worker: WorkerID
        fileprivate let number: UInt64
    }

    private struct Page {
        /// Open runs and when they were claimed.
        var open: [RunKey: Date] = [:]
        /// Claims under way, each with the newest claim known when it began: theirs will be later.
        var underWay: [UInt64: Date] = [:]
        var newest = Date.distantPast
        var isCertain = true
    }

    private struct RunKey: Hashable {
        let job: JobID
        let run: RunID
    }

    private struct State {
        var pages: [WorkerID: Page] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    func beginClaim(by worker: WorkerID) -> Claim {
        state.withLock { state in
            state.lastNumber += 1
            let number = state.lastNumber
            let newest = state.pages[worker, default: Page()].newest
            state.pages[worker, default: Page()].underWay[number] = newest
            return Claim(worker: worker, number: number)
        }
    }

    func endClaim(_ claim: Claim, jobs: [ClaimedJob]) {
        state.withLock { state in
            guard var page = state.pages.removeValue(forKey: claim.worker) else { return }
            page.underWay[claim.number] = nil
            for job in jobs {
                page.open[RunKey(job: job.id, run: job.run)] = job.claimedAt
                page.newest = max(page.newest, job.claimedAt)
            }
            state.pages[claim.worker] = page
        }
    }

    func loseClaim(_ claim: Claim) {
        state.withLock { $0.pages[claim.worker]?.isCertain = false }
    }

    func settle(_ settlements: [Settlement]) {
        state.withLock { state in
            for worker in state.pages.keys {
                for settlement in settlements {
                    state.pages[worker]?.open[RunKey(job: settlement.job, run: settlement.run)] = nil
                }
            }
        }
    }

    func forget(_ worker: WorkerID) {
        state.withLock { $0.pages[worker] = nil }
    }

    /// When the oldest run that may be open was claimed; nil if this book cannot tell.
    func oldestOpen(of worker: WorkerID) -> Date? {
        state.withLock { state in
            guard let page = state.pages[worker], page.isCertain else { return nil }
            let oldest = [page.open.values.min(), page.underWay.values.min(), page.newest].compactMap { $0 }.min()
            return oldest == .distantPast ? nil : oldest
        }
    }
}
