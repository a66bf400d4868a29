import CLibPQ
import LeaseholdCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The keywords and values given to `PQconnectStartParams`.
///
/// Defaults stand before `dbname`, whose URL is expanded in place and overrides them; what must
/// hold whatever the URL says stands after it.
struct ConnectionParameters {
    private(set) var pairs: [(keyword: String, value: String)] = []

    init(_ configuration: PostgresConfiguration) throws(PostgresError) {
        let named = try Self.settings(in: configuration.url)
        pairs.append(("fallback_application_name", configuration.applicationName))
        // Without these a peer that vanished is noticed after two hours. A service file may set
        // them too, but is weaker than any parameter, so it is left alone where one is in use.
        if named["service"] == nil, getenv("PGSERVICE") == nil {
            pairs.append(("keepalives_idle", "30"))
            pairs.append(("keepalives_interval", "10"))
            pairs.append(("keepalives_count", "3"))
            pairs.append(("tcp_user_timeout", "60000"))
        }
        if let url = configuration.url {
            pairs.append(("dbname", url))
        }
        pairs.append(("client_encoding", "UTF8"))
    }

    /// Calls `body` with the two NULL-terminated arrays that libpq wants.
    func withCArrays<R>(
        _ body: ([UnsafePointer<CChar>?], [UnsafePointer<CChar>?]) -> R
    ) -> R {
        let keywords = pairs.map { strdup($0.keyword) }
        let values = pairs.map { strdup($0.value) }
        defer { for pointer in keywords + values { free(pointer) } }
        return body(
            keywords.map { UnsafePointer($0) } + [nil],
            values.map { UnsafePointer($0) } + [nil]
        )
    }

    /// What the URL itself sets, by libpq keyword; empty for a plain database name.
    private static func settings(in url: String?) throws(PostgresError) -> [String: String] {
        guard let url, url.contains("=") || url.contains("://") else { return [:] }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &message) else {
            defer { PQfreemem(message) }
            let text = message.map { String(cString: $0) } ?? "out of memory"
            throw PostgresError.invalidURL(reason: hidingQuotedText(in: text))
        }
        defer { PQconninfoFree(options) }
        return named(options)
    }

    /// The non-null values of a libpq option list, by keyword.
    static func named(_ options: UnsafeMutablePointer<PQconninfoOption>) -> [String: String] {
        var result: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                result[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        return result
    }
}

/// The text with everything from the first to the last double quote taken out: libpq quotes the
/// part of a connection string it stumbled over, which may be a piece of the password.
func hidingQuotedText(in text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
    guard let first = line.firstIndex(of: "\""), let last = line.lastIndex(of: "\"") else { return line }
    return line[..<first] + "<hidden>" + line[line.index(after: last)...]
}
