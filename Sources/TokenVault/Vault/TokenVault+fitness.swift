import Foundation

extension TokenVault {
    /// Whether this process could seal what an exchange brings.
    ///
    /// - Throws: what keeps it from doing so.
    package func checkKeyRing() async throws { _ = try await currentSealer() }

    /// Whether there is room for a reply of the token endpoint on a disk that can be written.
    ///
    /// - Throws: ``SpoolError``.
    package func checkSpool() async throws {
        let probe = UUID()
        try await spool.reserve(probe)
        await spool.release(probe)
    }
}
