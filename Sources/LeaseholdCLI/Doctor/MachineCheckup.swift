import Foundation
import LeaseholdCore
import Postgres
import SQLFiles
import TokenVault

/// The checks of `leasehold doctor` that look at this machine: key ring and spool. A machine that
/// does not refresh has neither, and that is a note.
struct MachineCheckup {
    let composition: Composition

    /// A reply takes 8 KiB; below this many free bytes a spool cannot grow any more.
    private static let freeBytes: Int64 = 100_000_000

    func findings() async -> [Finding] {
        var report = DoctorReport()
        await report.check("tokens.keyring") { try await keyring() }
        for key in ["spoolDir", "spoolCopyDir"] {
            guard let path = composition.settings.text(key) else { continue }
            report.add(Self.spool(path))
        }
        if composition.settings.text("spoolDir") == nil {
            report.add(
                Finding(.note, "tokens.spool", "LEASEHOLD_SPOOL_DIR is not set here: no exchange can start here")
            )
        }
        return report.findings
    }

    private func keyring() async throws -> [Finding] {
        let check = "tokens.keyring"
        let settings = composition.settings
        guard settings.text("keyring") != nil || settings.text("keyringFile") != nil else {
            return [Finding(.note, check, "LEASEHOLD_KEYRING_FILE is not set here: no token can be opened here")]
        }
        let held = try await composition.keyProvider().keyRing().identifiers
        let needed = try await composition.withPool { pool in
            try await pool.query(.doctorKeys).map { try $0.decode("key_id", as: String.self) }
        }
        let missing = needed.filter { !held.contains($0) }
        guard missing.isEmpty else {
            return missing.map { key in
                Finding(
                    .problem,
                    check,
                    of: key,
                    "workers seal with this key, and the ring here does not hold it",
                    command: "copy its line into the key ring; then: leasehold keys status"
                )
            }
        }
        return [Finding(.ok, check, "holds every key that workers seal with, and \(held.count) in all")]
    }

    /// Whether a spool can be written and has room.
    static func spool(_ path: String) -> Finding {
        let check = "tokens.spool"
        let files = FileManager.default
        var isFolder: ObjCBool = false
        guard files.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
            return Finding(
                .problem,
                check,
                of: path,
                "expected a folder, found none",
                command: "install -d -m 700 \(path)"
            )
        }
        guard files.isWritableFile(atPath: path) else {
            return Finding(
                .problem,
                check,
                of: path,
                "expected to be allowed to write here",
                command: "chown \(NSUserName()) \(path)"
            )
        }
        return access(path) ?? room(path)
    }

    /// What is inside is sealed, but names and times are not.
    private static func access(_ path: String) -> Finding? {
        let files = FileManager.default
        let mode = ((try? files.attributesOfItem(atPath: path))?[.posixPermissions] as? NSNumber)?.intValue ?? 0
        guard mode & 0o077 != 0 else { return nil }
        return Finding(
            .warning,
            "tokens.spool",
            of: path,
            "others can look into it (mode \(String(mode & 0o777, radix: 8))); what is inside is sealed",
            command: "chmod 700 \(path)"
        )
    }

    private static func room(_ path: String) -> Finding {
        let check = "tokens.spool"
        let files = FileManager.default
        let free = ((try? files.attributesOfFileSystem(forPath: path))?[.systemFreeSize] as? NSNumber)?.int64Value ?? 0
        guard free >= freeBytes else {
            return Finding(
                .warning,
                check,
                of: path,
                "\(free / 1_000_000) MB are free, expected \(freeBytes / 1_000_000) MB or more",
                command: "df -h \(path)"
            )
        }
        return Finding(.ok, check, of: path, "writable, \(free / 1_000_000) MB free")
    }
}
