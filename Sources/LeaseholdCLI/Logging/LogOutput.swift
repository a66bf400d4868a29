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
                ? JSONLogHandler(label: label) { FileHandle.standardError.write(Data($0.utf8)) }
                : StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
    }
}
