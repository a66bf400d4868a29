import LeaseholdCore

/// The lapsed lives of a worker, each until the database counts no job as its any more.
///
/// A cut takes the answers of claims with it: their jobs run, for the database, in a life that never
/// heard of them, and would wait until that life has lapsed there too and is rescued. The worker knows
/// better: what it does not hold runs nowhere. So the next life hands those back at once, and, when the
/// last run of the former life has ended and its outcome is answered, signs the life off.
struct FormerLives {
    enum Step: Equatable {
        /// Runs of the life still go on here, or their outcomes wait to be written: only what it never
        /// heard of goes back.
        case search(WorkerID)
        /// Nothing of the life goes on here: whatever the database counts as its goes back.
        case signOff(WorkerID)
    }

    private struct Life {
        let id: WorkerID
        var isSearched = false
    }

    private var lives: [Life] = []
    private var retryAt: Moment?

    var ids: [WorkerID] { lives.map(\.id) }

    /// The worker lives anew under another id.
    mutating func lapsed(_ id: WorkerID) { lives.append(Life(id: id)) }

    /// - Parameter busy: lives of which runs go on here, or outcomes wait to be written.
    func next(now: Moment, busy: @autoclosure () -> Set<WorkerID>) -> Step? {
        if lives.isEmpty { return nil }
        if let retryAt, now < retryAt { return nil }
        let busy = busy()
        for life in lives {
            if !busy.contains(life.id) { return .signOff(life.id) }
            if !life.isSearched { return .search(life.id) }
        }
        return nil
    }

    mutating func did(_ step: Step) {
        retryAt = nil
        switch step {
        case .search(let id):
            for index in lives.indices where lives[index].id == id { lives[index].isSearched = true }
        case .signOff(let id):
            lives.removeAll { $0.id == id }
        }
    }

    mutating func failed(retryAt: Moment) { self.retryAt = retryAt }

    /// When what failed is tried again.
    var nextTry: Moment? { lives.isEmpty ? nil : retryAt }
}
