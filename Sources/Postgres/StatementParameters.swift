import Foundation
package import SQLFiles
import Synchronization

/// The types of a statement's parameters, as its header declares them:
/// `-- params: $1 bigint job_id, $2 text[] names` or `-- params: none`.
package struct StatementParameters: Sendable, Equatable {
    package struct Parameter: Sendable, Equatable {
        package let name: String
        /// As written, for `PREPARE`.
        package let sqlType: String
        package let type: PostgresType
    }

    /// Nil if the text has no header: the types then come from the values.
    package let declared: [Parameter]?

    /// Nothing if `text` has no `-- params:` line. A header may go on over several comment lines.
    package init(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let start = lines.firstIndex(where: { $0.hasPrefix("-- params:") }) else {
            declared = nil
            return
        }
        var header = String(lines[start].dropFirst("-- params:".count))
        for line in lines[(start + 1)...] {
            guard line.hasPrefix("-- "), line.dropFirst(3).drop(while: { $0 == " " }).hasPrefix("$") else { break }
            header += header.trimmingCharacters(in: .whitespaces).hasSuffix(",") ? "" : ","
            header += line.dropFirst(3)
        }
        let trimmed = header.trimmingCharacters(in: .whitespaces)
        declared = trimmed == "none" ? [] : trimmed.split(separator: ",").compactMap { Self.parameter($0) }
    }

    /// `$1 timestamp with time zone not_before`: number, type, name.
    private static func parameter(_ text: Substring) -> Parameter? {
        let words = text.split(separator: " ")
        guard words.count >= 3, words[0].hasPrefix("$") else { return nil }
        let sqlType = words[1..<(words.count - 1)].joined(separator: " ")
        return Parameter(
            name: String(words[words.count - 1]),
            sqlType: sqlType,
            type: PostgresType(sqlName: sqlType) ?? .unspecified
        )
    }

    private static let cache = Mutex<[String: (text: String, parameters: StatementParameters)]>([:])

    /// Reads each file's header once per process.
    package static func of(_ file: SQLFile) -> StatementParameters {
        cache.withLock { cache in
            if let known = cache[file.name], known.text == file.text { return known.parameters }
            let parameters = StatementParameters(text: file.text)
            cache[file.name] = (file.text, parameters)
            return parameters
        }
    }
}
