import Synchronization

/// Collects values from many tasks, in the order they came.
package final class Recorder<Value: Sendable>: Sendable {
    private let state: Mutex<[Value]> = Mutex([])

    package init() {}

    package func append(_ value: Value) { state.withLock { $0.append(value) } }

    package var values: [Value] { state.withLock { $0 } }
}
