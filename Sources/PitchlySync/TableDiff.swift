/// How a table at Pitchly differs from its mirror.
package struct TableDiff: Sendable, Equatable {
    /// Records of one kind of difference: how many, and the first few.
    package struct Records: Sendable, Equatable {
        package private(set) var count = 0
        package private(set) var examples: [String] = []

        mutating func add(_ record: String, keep limit: Int) {
            count += 1
            if examples.count < limit { examples.append(record) }
        }
    }

    package let table: String
    /// At Pitchly, not in the mirror.
    package internal(set) var inserted = Records()
    /// In both, with other content.
    package internal(set) var changed = Records()
    /// In the mirror, no longer at Pitchly.
    package internal(set) var missing = Records()
    package internal(set) var equal = 0
    /// One line each: `added fldA "Fee"`, `retyped fldB number to text`.
    package internal(set) var fields: [String] = []
    /// Somebody merged into the mirror meanwhile: what was found may be neither state.
    package internal(set) var mirrorMoved = false

    package var isEmpty: Bool {
        inserted.count == 0 && changed.count == 0 && missing.count == 0 && fields.isEmpty
    }
}

/// What one field was and is.
struct FieldFacts: Sendable, Equatable {
    let id: String
    let name: String
    let type: String
}

extension TableDiff {
    static func fieldLines(mirror: [FieldFacts], source: [FieldFacts]) -> [String] {
        let known = Dictionary(mirror.map { ($0.id, $0) }) { first, _ in first }
        let shown = Set(source.map(\.id))
        var lines: [String] = []
        for field in source {
            guard let before = known[field.id] else {
                lines.append("added \(field.id) \"\(field.name)\"")
                continue
            }
            if before.name != field.name {
                lines.append("renamed \(field.id) \"\(before.name)\" to \"\(field.name)\"")
            }
            if before.type != field.type { lines.append("retyped \(field.id) \(before.type) to \(field.type)") }
        }
        for field in mirror where !shown.contains(field.id) { lines.append("removed \(field.id) \"\(field.name)\"") }
        return lines
    }
}
