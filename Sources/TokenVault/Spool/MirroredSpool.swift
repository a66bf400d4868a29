package import Foundation
package import LeaseholdCore
package import Logging

/// Two spools, best on two disks: a reply counts as kept when one of them has it.
///
/// Losing one disk with the machine still up, or one volume with the pod, loses no reply. A copy that
/// fails is reported and does not stop exchanges: stopping both for one would lose access instead.
package struct MirroredSpool: SpoolStore {
    private let first: any SpoolStore
    private let second: any SpoolStore
    private let logger: Logger

    package init(_ first: any SpoolStore, _ second: any SpoolStore, logger: Logger) {
        self.first = first
        self.second = second
        self.logger = logger
    }

    package func reserve(_ attempt: UUID) async throws {
        try await inEither("reserve") { try await $0.reserve(attempt) }
    }

    package func write(_ record: SpoolRecord) async throws {
        try await inEither("write") { try await $0.write(record) }
    }

    package func release(_ attempt: UUID) async {
        await first.release(attempt)
        await second.release(attempt)
    }

    package func discard(_ attempt: UUID) async {
        await first.discard(attempt)
        await second.discard(attempt)
    }

    package func settle(_ attempt: UUID) async {
        await first.settle(attempt)
        await second.settle(attempt)
    }

    package func summaries() async -> [SpoolSummary] {
        var merged: [UUID: SpoolSummary] = [:]
        for summary in await first.summaries() + second.summaries() {
            let isSettled = summary.isSettled || merged[summary.attempt]?.isSettled == true
            merged[summary.attempt] = summary
            merged[summary.attempt]?.isSettled = isSettled
        }
        return Array(merged.values)
    }

    package func record(_ attempt: UUID) async -> SpoolRecord? {
        if let record = await first.record(attempt) { return record }
        return await second.record(attempt)
    }

    package func find(_ tenant: TenantID, generation: Int64, everywhere: Bool) async -> [SpoolRecord] {
        var found = await first.find(tenant, generation: generation, everywhere: everywhere)
        for record in await second.find(tenant, generation: generation, everywhere: everywhere)
        where !found.contains(where: { $0.attempt == record.attempt }) {
            found.append(record)
        }
        return found
    }

    package func adoptOrphans() async {
        await first.adoptOrphans()
        await second.adoptOrphans()
    }

    package func sealingKeys() async -> [String: Int] {
        await first.sealingKeys().merging(second.sealingKeys()) { max($0, $1) }
    }

    /// Both at once; fails only if both do.
    private func inEither(
        _ operation: String,
        _ body: @escaping @Sendable (any SpoolStore) async throws -> Void
    ) async throws {
        async let one = Self.failure(of: body, in: first)
        async let other = Self.failure(of: body, in: second)
        let failures = [await one, await other]
        for failure in failures.compactMap(\.self) {
            logger.error(
                "spool_copy_failed",
                metadata: ["operation": "\(operation)", "error": "\(errorText(failure))"]
            )
        }
        if let failure = failures[0], failures[1] != nil { throw failure }
    }

    private static func failure(
        of body: @Sendable (any SpoolStore) async throws -> Void,
        in spool: any SpoolStore
    ) async -> (any Error)? {
        do {
            try await body(spool)
            return nil
        } catch {
            return error
        }
    }
}
