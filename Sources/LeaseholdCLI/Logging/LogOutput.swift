import Foundation
import Logging

/// Sends every logger of the process to standard error, in the format and from the level that the
/// settings name. Standard output belongs to what the commands answer.
enum LogOutput {
    static func start(_ settings: SettingsLoader) {
        let level = settings.text("logLevel").flatMap(Logger.Level.init(rawValue:)) ?? .info
        let isJSON = settings.text("logFormat") == "json"
        LoggingSystem.bootstrap { label in
            var handler: any LogHandler =
                isJSON
                ? JSONLogHandler(label: label, write: write)
                : StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }

    /// A line that cannot be written is dropped: a full disk under the log must not end a process that
    /// may be holding an answer which is nowhere else yet.
    private static func write(_ line: String) {
        var rest = Array(line.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
            guard written > 0 else { return }
            rest = rest.dropFirst(written)
        }
    }
}
