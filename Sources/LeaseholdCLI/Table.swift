import ArgumentParser
import Foundation

/// What a command answers: printed as a table for people, or as JSON for programs.
struct Table {
    private let columns: [String]
    private var rows: [[String?]] = []

    init(columns: [String]) { self.columns = columns }

    var isEmpty: Bool { rows.isEmpty }

    /// One cell per column; nil is shown as `-` and is `null` in JSON.
    mutating func add(_ cells: [String?]) { rows.append(cells) }

    /// Columns padded to their widest cell, numbers to the right.
    func text() -> String {
        var widths = columns.map(\.count)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], (cell ?? "-").count) }
        }
        let isNumeric = columns.indices.map { index in
            !rows.isEmpty && rows.allSatisfy { row in row[index].map { Double($0) != nil } ?? true }
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { index, cell in
                let space = String(repeating: " ", count: max(0, widths[index] - cell.count))
                return isNumeric[index] ? space + cell : cell + space
            }
            let joined = padded.joined(separator: "  ")
            return String(joined.reversed().drop { $0 == " " }.reversed())
        }
        let header = line(columns)
        let rule = line(widths.map { String(repeating: "-", count: $0) })
        return ([header, rule] + rows.map { row in line(row.map { oneLine($0 ?? "-") }) }).joined(separator: "\n")
    }

    /// An array with one object a row, keys in the order of the columns.
    func json() -> String {
        let objects = rows.map { row in
            let members = zip(columns, row).map { name, cell in
                "\(Self.jsonString(name)): \(cell.map(Self.jsonString) ?? "null")"
            }
            return "  {" + members.joined(separator: ", ") + "}"
        }
        return objects.isEmpty ? "[]" : "[\n" + objects.joined(separator: ",\n") + "\n]"
    }

    private func oneLine(_ cell: String) -> String { cell.replacingOccurrences(of: "\n", with: " ") }

    static func jsonString(_ text: String) -> String {
        guard let data = try? JSONEncoder().encode(text) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }
}

/// `--json` of every command that shows something.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func show(_ table: Table) { print(json ? table.json() : table.text()) }

    /// For answers with more to say to a program than to a person: times and numbers as such.
    func show(_ table: Table, json value: some Encodable) throws {
        guard json else { return show(table) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
