import Foundation
import LeaseholdCore

/// A file that holds one secret and nothing else, such as a token or the client secret.
enum SecretFile {
    /// Line ends and blanks round the secret are dropped; `-` reads standard input.
    ///
    /// - Throws: ``SettingsError/unreadableFile(path:reason:)``; never shows what the file holds.
    static func read(_ path: String) throws -> Secret {
        let data = path == "-" ? try FileHandle.standardInput.readToEnd() : FileManager.default.contents(atPath: path)
        guard let data, let text = String(data: data, encoding: .utf8) else {
            throw SettingsError.unreadableFile(path: path, reason: "there is none, or it is not UTF-8 text")
        }
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !trimmed.isEmpty else {
            throw SettingsError.unreadableFile(path: path, reason: "expected a secret in it, got nothing")
        }
        guard !trimmed.contains(where: \.isWhitespace) else {
            throw SettingsError.unreadableFile(path: path, reason: "expected one secret in it, got several words")
        }
        return Secret(trimmed)
    }
}
