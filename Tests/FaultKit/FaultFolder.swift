import Foundation
import LeaseholdCore
import TestSupport
import TokenVault

/// A folder of one stage's own with a key ring.
enum FaultFolder {
    static func make() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lh-fault-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let keys = folder.appendingPathComponent("keys").path
        let line = try KeyRing.makeLine(id: "k1")
        guard
            FileManager.default.createFile(
                atPath: keys,
                contents: Data(line.utf8),
                attributes: [.posixPermissions: 0o600]
            )
        else {
            throw TestSupportError(label: "no_key_file", message: "expected \(keys) to be writable", hint: nil)
        }
        return folder
    }
}
