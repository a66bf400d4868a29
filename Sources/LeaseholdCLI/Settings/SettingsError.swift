import LeaseholdCore

/// Stops the start: a name that nobody knows, a value that is not allowed, or a missing one.
package enum SettingsError: ExplainedError, Equatable {
    case unknown(name: String, source: String, suggestion: String?)
    case invalid(name: String, source: String, expected: String, got: String, example: String)
    case missing(name: String, purpose: String, example: String)
    case unreadableFile(path: String, reason: String)

    package var label: String {
        switch self {
        case .unknown: "setting_unknown"
        case .invalid: "setting_invalid"
        case .missing: "setting_missing"
        case .unreadableFile: "settings_file_unreadable"
        }
    }

    package var message: String {
        switch self {
        case .unknown(let name, let source, let suggestion):
            "unknown setting \"\(name)\" in \(source)" + (suggestion.map { ", did you mean \"\($0)\"?" } ?? "")
        case .invalid(let name, let source, let expected, let got, _):
            "expected \(name) (from \(source)) to be \(expected), got \"\(got)\""
        case .missing(let name, let purpose, _):
            "expected \(name) to be set, \(purpose), got nothing"
        case .unreadableFile(let path, let reason):
            "expected \(path) to be a readable file, \(reason)"
        }
    }

    package var hint: String? {
        switch self {
        case .unknown(let name, _, let suggestion?): "rename \(name) to \(suggestion)"
        case .unknown(let name, let source, nil): "remove \(name) from \(source); leasehold settings lists every name"
        case .invalid(let name, _, _, _, let example): "\(name)=\(example)"
        case .missing(let name, _, let example): "export \(name)=\(example)"
        case .unreadableFile(let path, _): "ls -l \(path)"
        }
    }
}

/// The name in `known` that `name` was probably meant to be: at most a third of its letters differ.
func nearestName(to name: String, among known: [String]) -> String? {
    let ranked = known.map { ($0, editDistance(Array(name.utf8), Array($0.utf8))) }
    guard let best = ranked.min(by: { $0.1 < $1.1 }), best.1 <= max(2, name.utf8.count / 3) else { return nil }
    return best.0
}

/// Levenshtein's distance in one row of memory.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (index, byte) in left.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for (column, other) in right.enumerated() {
            let replaced = diagonal + (byte == other ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
        }
    }
    return row[right.count]
}
