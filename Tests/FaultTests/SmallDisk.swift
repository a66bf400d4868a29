import Foundation
import TestSupport

/// A file system of a few megabytes in memory, which can be filled to the last byte.
///
/// Belongs to the user that the private PostgreSQL runs as; the workers, which run as root, may use it too.
struct SmallDisk: Sendable {
    let path: String

    private var filler: String { "\(path)/filler" }

    /// Whether this process may mount one; found out by mounting one.
    static let isAllowed: Bool = {
        guard getuid() == 0, let disk = try? SmallDisk(megabytes: 1) else { return false }
        disk.remove()
        return true
    }()

    private init(megabytes: Int) throws {
        path = "/tmp/lh-disk-\(String(UInt32.random(in: .min ... .max), radix: 36))"
        guard mkdir(path, 0o700) == 0, let user = getpwnam("postgres") else {
            throw TestSupportError(label: "no_folder", message: "expected \(path) and the user postgres, got none")
        }
        let options = "size=\(megabytes)m,mode=0700,uid=\(user.pointee.pw_uid)"
        guard mount("tmpfs", path, "tmpfs", 0, options) == 0 else {
            let code = errno
            rmdir(path)
            throw TestSupportError(label: "no_mount", message: "expected a tmpfs at \(path), got error \(code)")
        }
    }

    static func with<Result>(megabytes: Int, _ body: (SmallDisk) async throws -> Result) async throws -> Result {
        let disk = try SmallDisk(megabytes: megabytes)
        defer { disk.remove() }
        return try await body(disk)
    }

    private func remove() {
        _ = umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }

    func fill() throws {
        let descriptor = open(filler, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw TestSupportError(label: "no_filler", message: "expected \(filler)") }
        defer { close(descriptor) }
        let block = [UInt8](repeating: 0, count: 4096)
        while write(descriptor, block, block.count) > 0 {}
    }

    var isFull: Bool {
        var facts = statvfs()
        return statvfs(path, &facts) == 0 && facts.f_bavail == 0
    }

    func empty() throws {
        guard unlink(filler) == 0 else { throw TestSupportError(label: "no_filler", message: "expected \(filler)") }
    }
}
