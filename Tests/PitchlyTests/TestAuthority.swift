import Foundation
import TestSupport

/// A certificate authority that lives for one test, and what it signs: no private key is kept anywhere.
struct TestAuthority {
    let folder: URL
    /// Its own certificate, to be trusted.
    var path: String { folder.appending(path: "authority.pem").path }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    static func with<Result>(_ body: (TestAuthority) async throws -> Result) async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appending(path: "lh-ca-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        let authority = TestAuthority(folder: folder)
        try await Command.run(
            ["openssl", "req", "-x509"] + newKey + [
                "-keyout", authority.file("authority.key"), "-out", authority.path,
                "-subj", "/CN=Leasehold test authority", "-days", "30",
            ]
        )
        return try await body(authority)
    }

    /// - Parameter days: how long it is good from now on; negative: it ended so long ago.
    /// - Returns: the path of a file with the private key and the certificate.
    func certificate(for host: String, days: Int) async throws -> String {
        let name = UUID().uuidString
        let (key, request, path) = (file("\(name).key"), file("\(name).csr"), file("\(name).pem"))
        try await Command.run(
            ["openssl", "req"] + Self.newKey + [
                "-keyout", key, "-out", request, "-subj", "/CN=\(host)", "-addext", "subjectAltName=DNS:\(host)",
            ]
        )
        try await Command.run([
            "openssl", "x509", "-req", "-in", request, "-CA", self.path, "-CAkey", file("authority.key"),
            "-CAcreateserial", "-days", "\(days)", "-copy_extensions", "copy", "-out", path,
        ])
        let certificate = try Data(contentsOf: URL(filePath: path))
        try (Data(contentsOf: URL(filePath: key)) + certificate).write(to: URL(filePath: path))
        return path
    }

    private func file(_ name: String) -> String { folder.appending(path: name).path }
}
