import Foundation
import Pitchly

/// How much of a table a run reads.
enum SyncMode: Sendable, Equatable {
    /// Everything; what was not seen is deleted from the mirror.
    case full
    /// What changed after a time; nothing is deleted.
    case incremental(since: Date)

    var updatedAfter: String? {
        switch self {
        case .full: nil
        case .incremental(let since): since.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        }
    }
}

extension SyncSettings.Incremental {
    /// Whether a table with these fields may be read incrementally.
    func allows(_ fields: [PitchlyField]) -> Bool {
        let types = fields.map { Self.plain($0.type) }
        let isDated = types.contains { ["updatedat", "lastupdated", "modifiedat"].contains($0) }
        switch self {
        case .never: return false
        case .exact: return isDated && !types.contains { Self.isDerived($0) }
        case .always: return isDated
        }
    }

    /// Spellings of types are not published: case and separators do not count.
    private static func plain(_ type: String) -> String { type.lowercased().filter { $0.isLetter } }

    /// Shows content of other records, or computes it.
    private static func isDerived(_ type: String) -> Bool {
        ["lookup", "rollup", "formula", "reference"].contains { type.hasPrefix($0) }
    }
}
