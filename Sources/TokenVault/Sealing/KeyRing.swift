import Crypto
import Foundation
import LeaseholdCore

/// The keys that seal tokens at rest: new writes use the newest, all of them open.
///
/// Text form, from a file or the environment: one `id:base64 of 32 bytes` a line, newest first, or
/// the JSON `{"keys": [{"id": "…", "key": "…"}]}`. Blank lines and lines that begin with `#` are
/// skipped. An id is 1 to 32 of `A-Z a-z 0-9 . _ -`, a letter or digit first.
package struct KeyRing: Sendable {
    /// Of AES-256.
    package static let keyLength = 32

    /// Newest first, at least one.
    let keys: [SealingKey]

    var newest: SealingKey { keys[0] }
    package var identifiers: [String] { keys.map(\.id) }

    /// - Throws: ``KeyRingError`` naming the line and what was expected; never key material.
    package init(parsing text: String, source: String) throws(KeyRingError) {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        let entries = trimmed.first == "{" ? try Self.json(trimmed, source) : Self.lines(trimmed)
        guard !entries.isEmpty else { throw KeyRingError(source, expected: "at least one key", got: "none") }
        var keys: [SealingKey] = []
        for entry in entries {
            let key = try SealingKey(entry, source)
            guard !keys.contains(where: { $0.id == key.id }) else {
                throw KeyRingError(source, place: entry.place, expected: "each id once", got: "\"\(key.id)\" again")
            }
            keys.append(key)
        }
        self.keys = keys
    }

    func key(_ id: String) -> SealingKey? { keys.first { $0.id == id } }

    /// A line for a key file, with a key drawn from the system's secure random source.
    package static func makeLine(id: String) throws(KeyRingError) -> String {
        let line = "\(id):\(SymmetricKey(size: .bits256).withUnsafeBytes { Data($0).base64EncodedString() })"
        _ = try KeyRing(parsing: line, source: "the new key")
        return line
    }

    private static func lines(_ text: String) -> [KeyEntry] {
        text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { index, line in
            let line = line.trimmingCharacters(in: .whitespaces)
            guard !line.isEmpty, !line.hasPrefix("#") else { return nil }
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return KeyEntry(
                place: "line \(index + 1)",
                id: String(parts[0]),
                material: parts.count == 2 ? String(parts[1]) : nil
            )
        }
    }

    private struct Document: Decodable {
        struct Key: Decodable {
            let id: String
            let key: String
        }
        let keys: [Key]
    }

    private static func json(_ text: String, _ source: String) throws(KeyRingError) -> [KeyEntry] {
        // The decoder's own error may quote the text.
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(text.utf8)) else {
            throw KeyRingError(source, expected: #"{"keys": [{"id": "...", "key": "base64"}]}"#, got: "other JSON")
        }
        return document.keys.enumerated().map { index, key in
            KeyEntry(place: "key \(index + 1)", id: key.id, material: key.key)
        }
    }
}

/// One key as it was written.
struct KeyEntry {
    let place: String
    let id: String
    let material: String?
}

/// One key with what is derived from it. Each use has its own key (HKDF, RFC 5869), so that sealing,
/// fingerprints and check values do not share one.
struct SealingKey: Sendable {
    let id: String
    let sealing: SymmetricKey
    let fingerprint: SymmetricKey
    /// Tells two keys of one id apart, without telling anything about them.
    let checkValue: String

    init(_ entry: KeyEntry, _ source: String) throws(KeyRingError) {
        guard Self.isWellFormed(entry.id) else {
            throw KeyRingError(
                source,
                place: entry.place,
                expected: "an id of 1 to 32 of A-Z a-z 0-9 . _ -, a letter or digit first, then a colon",
                got: entry.material == nil ? "a line without a colon" : "another id"
            )
        }
        guard let material = entry.material.flatMap({ Data(base64Encoded: $0) }) else {
            throw KeyRingError(source, place: entry.place, expected: "base64 after \"\(entry.id):\"", got: "other text")
        }
        guard material.count == KeyRing.keyLength else {
            throw KeyRingError(
                source,
                place: entry.place,
                expected: "\(KeyRing.keyLength) bytes after \"\(entry.id):\"",
                got: "\(material.count)"
            )
        }
        id = entry.id
        let root = SymmetricKey(data: material)
        sealing = Self.derive(root, "seal")
        fingerprint = Self.derive(root, "fingerprint")
        let check = HMAC<SHA256>.authenticationCode(for: Data("leasehold".utf8), using: Self.derive(root, "check"))
        checkValue = check.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func derive(_ root: SymmetricKey, _ use: String) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(inputKeyMaterial: root, info: Data("leasehold \(use) 1".utf8), outputByteCount: 32)
    }

    private static func isWellFormed(_ id: String) -> Bool {
        let isLetterOrDigit: (UInt8) -> Bool = { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        guard let first = id.utf8.first, id.utf8.count <= 32 else { return false }
        return isLetterOrDigit(first) && id.utf8.allSatisfy { isLetterOrDigit($0) || "._-".utf8.contains($0) }
    }
}

/// A key ring that cannot be read. Never holds key material.
package struct KeyRingError: ExplainedError, Equatable {
    package let message: String
    package let hint: String?
    package var label: String { "key_ring" }

    init(_ source: String, place: String? = nil, expected: String, got: String) {
        let place = place.map { ", \($0)" } ?? ""
        message = "expected \(source)\(place) to hold \(expected), got \(got)"
        hint = "leasehold keys new >> KEYRING_FILE"
    }

    init(unreadable source: String, reason: String) {
        message = "expected \(source) to be readable, got: \(reason)"
        hint = "set LEASEHOLD_KEYRING_FILE to a file that only this user can read"
    }
}
