import Synchronization

/// One table (v2: database) with a lock of its own, so that readers of two tables never wait for
/// each other.
package final class FakeTable: Sendable {
    /// `tbl` and 17 characters; the prefix is assumed.
    package let id: String
    package let organization: String
    package let workspace: String
    private let state: Mutex<TableState>

    init(_ state: TableState, organization: String) {
        id = state.id
        workspace = state.workspace
        self.organization = organization
        self.state = Mutex(state)
    }

    /// Of one moment.
    var snapshot: TableState { state.withLock { $0 } }

    package var name: String { state.withLock { $0.name } }
    package var fields: [FakeField] { state.withLock { $0.fields } }
    package var recordCount: Int { state.withLock { $0.count } }
    /// The ledger: every write of a client that took effect, in order.
    package var receivedWrites: [ReceivedWrite] { state.withLock { $0.receivedWrites } }

    func withState<Value: Sendable, Failure: Error>(
        _ body: (inout sending TableState) throws(Failure) -> sending Value
    ) throws(Failure) -> Value {
        try state.withLock { state throws(Failure) in try body(&state) }
    }

    /// Applies all edits or, where one of them is refused, none.
    func apply(_ edits: [TableEdit], now: Int) throws(EditRefused) -> [String] {
        try state.withLock { state throws(EditRefused) in
            var changed = state
            var ids: [String] = []
            for edit in edits { ids.append(try changed.apply(edit, now: now)) }
            state = changed
            return ids
        }
    }

    /// Makes and applies `count` edits; the same seed on the same table gives the same edits.
    func applyRandom(count: Int, seed: UInt64, now: Int) -> [TableEdit] {
        state.withLock { state in
            var random = RandomEdits(seed: seed)
            var edits: [TableEdit] = []
            while edits.count < count {
                let edit = random.next(for: state)
                // A made-up edit can meet a limit of the table, such as its last field; then another is made.
                guard (try? state.apply(edit, now: now)) != nil else { continue }
                edits.append(edit)
            }
            return edits
        }
    }
}
