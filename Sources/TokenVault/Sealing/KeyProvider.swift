import Foundation
import LeaseholdCore
import Synchronization

/// Where the key ring comes from: a file, the environment, a key management service.
///
/// Asked before every exchange, so that a key ring that has become unreachable stops an exchange
/// before anything is presented. An implementation should answer from memory while it can.
package protocol KeyProvider: Sendable {
    /// - Throws: ``KeyRingError``, or an error of its own without key material.
    func keyRing() async throws -> KeyRing
}

/// A key ring that does not change, for example from the environment.
package struct FixedKeyProvider: KeyProvider {
    private let ring: KeyRing

    package init(_ ring: KeyRing) { self.ring = ring }

    package func keyRing() -> KeyRing { ring }
}

/// A key ring in a file that only its owner may read, or a link to one. Read again when the file has
/// changed, so that a new key needs no restart.
package final class FileKeyProvider: KeyProvider {
    private let path: String
    private let cache = Mutex<(stamp: Stamp, ring: KeyRing)?>(nil)

    private struct Stamp: Equatable {
        let modified: Date
        let size: Int
        let inode: UInt64
    }

    package init(path: String) { self.path = path }

    package func keyRing() throws -> KeyRing {
        let stamp = try examine()
        if let cached = cache.withLock({ $0 }), cached.stamp == stamp { return cached.ring }
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8)
        else { throw KeyRingError(unreadable: path, reason: "no permission, or no UTF-8 text") }
        let ring = try KeyRing(parsing: text, source: path)
        cache.withLock { $0 = (stamp, ring) }
        return ring
    }

    private func examine() throws(KeyRingError) -> Stamp {
        // Kubernetes hands out a secret as a link, which it turns to another folder when the secret changes.
        let file = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: file) else {
            throw KeyRingError(unreadable: path, reason: "no such file")
        }
        let permissions = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
        let owner = (attributes[.ownerAccountID] as? NSNumber)?.uint32Value ?? 0
        guard !Self.isExposed(permissions: permissions, owner: owner, reader: geteuid()) else {
            throw KeyRingError(
                path,
                expected:
                    "permissions 0600 or 0400 (0640 or 0440 if it is root's and the program runs as another user)",
                got: "0\(String(permissions & 0o777, radix: 8)): others can read it"
            )
        }
        return Stamp(
            modified: attributes[.modificationDate] as? Date ?? .distantPast,
            size: (attributes[.size] as? NSNumber)?.intValue ?? 0,
            inode: (attributes[.systemFileNumber] as? NSNumber)?.uint64Value ?? 0
        )
    }

    /// The rule that PostgreSQL has for its own keys: a file of root's may be read by a group, because that is
    /// the only way in which root can hand it to a service; one of the service's own is for itself.
    static func isExposed(permissions: Int, owner: UInt32, reader: UInt32) -> Bool {
        permissions & (owner == 0 && reader != 0 ? 0o037 : 0o077) != 0
    }
}
