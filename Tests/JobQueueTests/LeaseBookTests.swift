import Foundation
import LeaseholdCore
import Testing

@testable import JobQueue

/// Up to when may a worker's leases be forgotten: never past a run that may be open.
@Suite struct LeaseBookTests {
    private let book = LeaseBook()
    private let worker = WorkerID()

    private func job(_ id: Int64, claimedAt seconds: Double) -> ClaimedJob {
        ClaimedJob(
            id: JobID(rawValue: id),
            run: RunID(rawValue: 1),
            tenant: TenantID(rawValue: "acme")!,
            kind: JobKind(rawValue: "noop")!,
            claimedAt: Date(timeIntervalSince1970: seconds)
        )
    }

    private func claim(_ jobs: ClaimedJob...) {
        book.endClaim(book.beginClaim(by: worker), jobs: jobs)
    }

    private func settle(_ job: ClaimedJob) {
        book.settle([Settlement(job: job.id, run: job.run, outcome: .completed)])
    }

    private var oldest: Double? { book.oldestOpen(of: worker)?.timeIntervalSince1970 }

    @Test func anEmptyBookSaysNothing() {
        #expect(oldest == nil)
        claim()
        #expect(oldest == nil)
    }

    @Test func theOldestOpenRunCounts() {
        let (first, second, third) = (job(1, claimedAt: 10), job(2, claimedAt: 20), job(3, claimedAt: 30))
        claim(first)
        claim(second)
        claim(third)
        #expect(oldest == 10)
        settle(second)
        #expect(oldest == 10)
        settle(first)
        #expect(oldest == 30)
        settle(third)
        #expect(oldest == 30)
    }

    @Test func aClaimUnderWayIsNewerThanAllThatWasKnownWhenItBegan() {
        let (first, second) = (job(1, claimedAt: 10), job(2, claimedAt: 30))
        claim(first)
        let underWay = book.beginClaim(by: worker)
        claim(second)
        settle(first)
        settle(second)
        #expect(oldest == 10)
        book.endClaim(underWay, jobs: [])
        #expect(oldest == 30)
    }

    @Test func afterALostAnswerTheBookSaysNothingForThatWorker() {
        claim(job(1, claimedAt: 10))
        book.loseClaim(book.beginClaim(by: worker))
        #expect(oldest == nil)
        claim(job(2, claimedAt: 20))
        #expect(oldest == nil)
    }

    @Test func workersHavePagesOfTheirOwn() {
        claim(job(1, claimedAt: 10))
        let other = WorkerID()
        book.endClaim(book.beginClaim(by: other), jobs: [job(2, claimedAt: 5)])
        #expect(oldest == 10)
        book.forget(other)
        #expect(book.oldestOpen(of: other) == nil)
    }
}
