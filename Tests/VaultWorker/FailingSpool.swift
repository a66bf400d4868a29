import Foundation
import LeaseholdCore
import TokenVault

/// A spool whose disk is full when a test says so.
struct FailingSpool: SpoolStore {
    let base: DirectorySpool
    let isFull: @Sendable (TenantID) -> Bool

    func reserve(_ attempt: UUID) async throws { try await base.reserve(attempt) }

    func write(_ record: SpoolRecord) async throws {
        if isFull(record.tenant) {
            await base.release(record.attempt)
            throw DiskFull()
        }
        try await base.write(record)
    }

    func release(_ attempt: UUID) async { await base.release(attempt) }
    func discard(_ attempt: UUID) async { await base.discard(attempt) }
    func settle(_ attempt: UUID) async { await base.settle(attempt) }
    func summaries() async -> [SpoolSummary] { await base.summaries() }
    func record(_ attempt: UUID) async -> SpoolRecord? { await base.record(attempt) }

    func find(_ tenant: TenantID, generation: Int64, everywhere: Bool) async -> [SpoolRecord] {
        await base.find(tenant, generation: generation, everywhere: everywhere)
    }

    func adoptOrphans() async { await base.adoptOrphans() }
    func sealingKeys() async -> [String: Int] { await base.sealingKeys() }
}

struct DiskFull: ExplainedError {
    var label: String { "spool_unusable" }
    var message: String { "expected room on the disk of the spool, got none" }
    var hint: String? { nil }
}
