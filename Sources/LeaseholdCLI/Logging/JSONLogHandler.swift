import Foundation
import LeaseholdCore
import Logging

/// One JSON object a line: `time`, `level`, `event`, `message`, `logger`, then the metadata, whose
/// keys are stable. Values are strings; nothing is nested, so that any collector can index the lines.
///
/// `event` is the metadata of that name, which whoever logs for programs sets; without it, the message.
struct JSONLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level = .info
    private let label: String
    private let write: @Sendable (String) -> Void

    init(label: String, write: @escaping @Sendable (String) -> Void) {
        self.label = label
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var members: [(String, String)] = [
            ("time", Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
            ("level", event.level.rawValue),
        ]
        var all = metadata
        all.merge(metadataProvider?.get() ?? [:]) { _, new in new }
        all.merge(event.metadata ?? [:]) { _, new in new }
        let message = event.message.description
        members.append(("event", all.removeValue(forKey: "event")?.description ?? message))
        members += [("message", message), ("logger", label)]
        if let error = event.error { members.append(("error", errorText(error))) }
        members += all.sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
        write("{" + members.map { "\(quoted($0)):\(quoted($1))" }.joined(separator: ",") + "}\n")
    }

    private func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where scalar.value < 0x20: quoted += String(format: "\\u%04x", scalar.value)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
