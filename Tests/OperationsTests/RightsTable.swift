import Foundation

/// The table "Roles" of `sql/README.md`: what each role may do with each kind of object. The first row
/// that fits an object counts.
struct RightsTable {
    struct Row {
        /// table (a table or view of `leasehold`), view (of `leasehold_dashboard`), pure (an immutable
        /// function) or function.
        let kind: String
        /// Names; `*` stands for anything.
        let patterns: [String]
        /// By role: "", read, write or call.
        let rights: [String: String]
    }

    let roles: [String]
    let rows: [Row]

    init(markdown: String) {
        let lines = markdown.split(separator: "\n").map(String.init)
        let start = lines.firstIndex { $0.hasPrefix("| object |") } ?? lines.endIndex
        let table = lines[start...].prefix { $0.hasPrefix("|") }.map(Self.cells)
        roles = table.first.map { Array($0.dropFirst()).map(Self.bare) } ?? []
        rows = table.dropFirst(2).map { [roles] cells in
            Row(
                kind: String(cells[0].prefix { $0 != " " }),
                patterns: cells[0].matches(of: /`([^`]+)`/).map { String($0.1) },
                rights: Dictionary(uniqueKeysWithValues: zip(roles, cells.dropFirst()))
            )
        }
    }

    /// Nil if no row fits.
    func right(of role: String, on kind: String, _ name: String) -> String? {
        rows.first { row in row.kind == kind && row.patterns.contains { Self.fits($0, name) } }?.rights[role]
    }

    private static func fits(_ pattern: String, _ name: String) -> Bool {
        pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
    }

    private static func cells(_ line: String) -> [String] {
        line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
            .map { $0.trimmingCharacters(in: .whitespaces) }
    }

    private static func bare(_ cell: String) -> String { cell.replacing("`", with: "") }
}
