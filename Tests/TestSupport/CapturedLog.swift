package import Logging
import Synchronization

/// Keeps everything that is logged through its loggers, to look for what must, or must never, be
/// there.
package final class CapturedLog: Sendable {
    package struct Entry: Sendable {
        package let level: Logger.Level
        package let label: String
        package let message: String
        package let metadata: Logger.Metadata

        /// As a line: message, then the metadata by key.
        package var text: String {
            let pairs = metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            return ([message] + pairs).joined(separator: " ")
        }
    }

    private struct State {
        var entries: [Entry] = []
        var watchers: [(matches: @Sendable (Entry) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// A logger that writes here and nowhere else, from `trace` up.
    package func logger(_ label: String = "test") -> Logger {
        Logger(label: label) { Handler(log: self, label: $0) }
    }

    package var entries: [Entry] { state.withLock(\.entries) }

    /// Everything, one line an entry.
    package var text: String { entries.map(\.text).joined(separator: "\n") }

    /// Waits until an entry matches, those from before included.
    package func entry(where matches: @escaping @Sendable (Entry) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.entries.contains(where: matches) { return true }
                state.watchers.append((matches, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    fileprivate func append(_ entry: Entry) {
        let satisfied = state.withLock { state in
            state.entries.append(entry)
            let satisfied = state.watchers.filter { $0.matches(entry) }
            state.watchers.removeAll { $0.matches(entry) }
            return satisfied
        }
        for watcher in satisfied { watcher.continuation.resume() }
    }

    private struct Handler: LogHandler {
        let log: CapturedLog
        let label: String
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            log.append(Entry(level: event.level, label: label, message: event.message.description, metadata: all))
        }
    }
}
