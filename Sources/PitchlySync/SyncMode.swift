/// How much of a table a run reads.
enum SyncMode: Sendable, Equatable {
    /// Everything; what was not seen is deleted from the mirror.
    case full
    /// What changed after a time, as the API writes it; nothing is deleted.
    case incremental(since: String)

    var name: String {
        switch self {
        case .full: "full"
        case .incremental: "incremental"
        }
    }

    var since: String? {
        switch self {
        case .full: nil
        case .incremental(let since): since
        }
    }
}
