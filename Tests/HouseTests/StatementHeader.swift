import Foundation

/// What the header of a file under `sql/queries/` declares.
struct StatementHeader {
    /// The first word of the first line, which must be the file's name.
    let name: String
    /// The types of `$1`, `$2`, … in this order.
    let parameterTypes: [String]

    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// - Throws: ``Malformed`` naming the file and what its header lacks.
    init(file: String, text: String) throws {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let first = lines.first, first.hasPrefix("-- "), let colon = first.firstIndex(of: ":") else {
            throw Malformed(description: "\(file): expected the first line to be `-- name: purpose`")
        }
        name = String(first[first.index(first.startIndex, offsetBy: 3)..<colon])
        let comment = lines.prefix { $0.hasPrefix("--") }
        guard let start = comment.firstIndex(where: { $0.hasPrefix("-- params:") }) else {
            throw Malformed(description: "\(file): expected a line `-- params: $1 type name, …` or `-- params: none`")
        }
        // The list may go on over further comment lines, as long as each starts with a parameter.
        var declared = String(comment[start].dropFirst("-- params:".count))
        for line in comment[(start + 1)...] {
            let rest = line.dropFirst(2).trimmingCharacters(in: .whitespaces)
            guard rest.hasPrefix("$") else { break }
            declared += " " + rest
        }
        declared = declared.trimmingCharacters(in: .whitespaces)
        parameterTypes = declared == "none" ? [] : try Self.types(in: declared, file: file)
    }

    private static func types(in declared: String, file: String) throws -> [String] {
        try declared.split(separator: ",").enumerated().map { index, part in
            let words = part.split(separator: " ")
            guard words.count >= 3, words[0] == "$\(index + 1)" else {
                throw Malformed(description: "\(file): expected `$\(index + 1) type name`, got `\(part)`")
            }
            return words[1..<(words.count - 1)].joined(separator: " ")
        }
    }
}
