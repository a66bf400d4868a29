package import Foundation
package import LeaseholdCore

/// The durable copies of replies of the token endpoint, written before anybody looks into them.
///
/// A reply carries the only successor of a token that is already spent. So room for it is reserved
/// before the token is presented, and the copy is on the disk before the reply is parsed. Before
/// that, a claim says that the token is about to be presented: a failover can lose the commit that
/// says so in the database. All are kept for a day, because it can also lose the commit of the reply.
package protocol SpoolStore: Sendable {
    /// Makes room for the claim and the reply of one attempt.
    ///
    /// - Throws: ``SpoolError``. Then nothing may be presented.
    func reserve(_ attempt: UUID) async throws

    /// Returns when the record is on the disk (in one of the copies at least). A second one of the same
    /// attempt, its reply, takes the place of the first, its claim, once it is there.
    ///
    /// - Throws: ``SpoolError``; the record is then only in memory.
    func write(_ record: SpoolRecord) async throws

    /// Gives back the room that an attempt has not used; a record stays.
    func release(_ attempt: UUID) async

    /// Drops a record that can never be of use: nothing was presented, or nothing was spent.
    func discard(_ attempt: UUID) async

    /// Notes that the database has the record, so that its room may be reused first.
    func settle(_ attempt: UUID) async

    /// What is kept here: this worker's own records and those of dead workers on the same disk.
    func summaries() async -> [SpoolSummary]

    /// A record of ``summaries()``; nil if it is gone.
    func record(_ attempt: UUID) async -> SpoolRecord?

    /// Every record of one generation; with `everywhere` also those in the spools of living workers
    /// on the same disk, which reads all of their files.
    func find(_ tenant: TenantID, generation: Int64, everywhere: Bool) async -> [SpoolRecord]

    /// Takes over the spools of workers that have died.
    func adoptOrphans() async

    /// How many records each key seals, living workers on the same disk included.
    func sealingKeys() async -> [String: Int]
}

/// One sealed reply and what it belongs to.
package struct SpoolRecord: Sendable, Equatable {
    package let tenant: TenantID
    /// The generation that was presented.
    package let generation: Int64
    package let attempt: UUID
    package let writtenAt: Date
    /// A ``SpooledReply``, sealed for column `spool` of tenant and generation.
    package let sealed: [UInt8]

    package init(tenant: TenantID, generation: Int64, attempt: UUID, writtenAt: Date, sealed: [UInt8]) {
        self.tenant = tenant
        self.generation = generation
        self.attempt = attempt
        // As precise as the disk keeps it.
        self.writtenAt = Date(microseconds: writtenAt.microseconds)
        self.sealed = sealed
    }
}

/// A record without its bytes.
package struct SpoolSummary: Sendable, Equatable {
    package let tenant: TenantID
    package let generation: Int64
    package let attempt: UUID
    package let writtenAt: Date
    package var isSettled: Bool
}

/// A spool that cannot be used.
package struct SpoolError: ExplainedError, Equatable {
    package let label: String
    package let message: String
    package let hint: String?

    static func full(_ path: String, capacity: Int) -> SpoolError {
        SpoolError(
            label: "spool_full",
            message: "expected room for a reply in \(path), got \(capacity) replies that are not in the database yet",
            hint: "look for the database errors that keep them from being saved"
        )
    }

    static func system(_ path: String, _ operation: String, _ number: Int32) -> SpoolError {
        SpoolError(
            label: "spool_unusable",
            message: "expected to \(operation) \(path), got: \(String(cString: strerror(number)))",
            hint: number == ENOSPC ? "free space on that disk" : "let LEASEHOLD_SPOOL_DIR name a folder of this user"
        )
    }

    static func exposed(_ path: String, permissions: UInt32) -> SpoolError {
        SpoolError(
            label: "spool_exposed",
            message: "expected \(path) to have permissions 0700, got 0\(String(permissions & 0o777, radix: 8))",
            hint: "chmod 700 \(path)"
        )
    }

    static func notReserved(_ path: String) -> SpoolError {
        SpoolError(label: "spool_not_reserved", message: "expected a reserved slot in \(path), got none", hint: nil)
    }

    static func tooLong(_ path: String, length: Int) -> SpoolError {
        SpoolError(
            label: "spool_too_long",
            message: "expected a record for \(path) of less than 16 MiB, got \(length) bytes",
            hint: nil
        )
    }
}

extension Date {
    package var microseconds: Int64 { Int64((timeIntervalSince1970 * 1_000_000).rounded()) }

    package init(microseconds: Int64) { self.init(timeIntervalSince1970: Double(microseconds) / 1_000_000) }
}
