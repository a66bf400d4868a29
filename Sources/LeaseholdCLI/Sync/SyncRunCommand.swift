import ArgumentParser
import Foundation
import JobQueue
import LeaseholdCore
import PitchlySync

struct SyncRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Asks for a sync of a tenant's tables and follows it to its end.",
        discussion: """
            The workers do it; Ctrl-C only ends the watching. Exit status: 0 every table is mirrored, 1 one is not.

              leasehold sync run --tenant acme
              leasehold sync run --tenant acme --table tblXGzqcXTH7PX7fj --detach
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var target: SyncTarget
    @Flag(help: "Only ask for it and print the job's id.") var detach = false

    func run() async throws {
        let tenant = try target.tenantID
        let composition = try Composition(settings, command: "sync")
        try await composition.withPool { pool in
            let queue = JobQueue(pool: pool, logger: composition.logger)
            let catalog = MirrorCatalog(pool: pool)
            let before = try await catalog.tables(of: tenant, only: target.table)
            let (job, kind) = try await request(tenant, queue, catalog)
            if detach {
                var table = Table(columns: ["job", "kind"])
                table.add([job.description, kind.rawValue])
                return output.json ? output.show(table) : print("enqueued job \(job)")
            }
            try await NobodyWorks.warn(queue, on: .default, for: kind)
            var follow = SyncFollow(before: before)
            try await self.follow(&follow, tenant, listing: target.table == nil ? job : nil, queue, catalog)
            output.show(follow.table())
            if !follow.isGood { throw ExitCode.failure }
        }
    }

    private func request(
        _ tenant: TenantID,
        _ queue: JobQueue,
        _ catalog: MirrorCatalog
    ) async throws -> (JobID, JobKind) {
        if let table = target.table { return (try await catalog.request(table, of: tenant), SyncJobs.syncTableKind) }
        // A listing that waits or runs is followed instead of a second one.
        let job = try await queue.enqueue(JobRequest(tenant: tenant, kind: SyncJobs.syncKind, uniqueKey: "listing"))
        return (job.id, SyncJobs.syncKind)
    }

    /// - Parameter listing: the job that finds the tables and asks for their syncs; nil for one table.
    private func follow(
        _ follow: inout SyncFollow,
        _ tenant: TenantID,
        listing: JobID?,
        _ queue: JobQueue,
        _ catalog: MirrorCatalog
    ) async throws {
        var line = ProgressLine(isSilent: output.json)
        var isListed = listing == nil
        while true {
            if let listing, !isListed {
                let state = try await queue.show(listing)
                isListed = try Self.hasListed(state, &line)
            }
            // Read after the listing has ended: every job it asked for can be seen.
            let tables = isListed ? try await wanted(tenant, follow, catalog) : []
            for ending in follow.look(at: tables, isComplete: isListed) { line.keep(Self.text(ending, tenant)) }
            if isListed, follow.hasEnded(tables) { return line.clear() }
            if isListed { line.show(follow.progress(tables)) }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// The tables that were asked for: one, or all but those that were gone before.
    private func wanted(
        _ tenant: TenantID,
        _ follow: SyncFollow,
        _ catalog: MirrorCatalog
    ) async throws -> [MirrorTableStatus] {
        try await catalog.tables(of: tenant, only: target.table).filter {
            target.table != nil || $0.state == "live" || follow.wasLive($0)
        }
    }

    /// - Throws: ``ListingFailed`` once the job has ended without a list.
    private static func hasListed(_ job: JobRecord, _ line: inout ProgressLine) throws -> Bool {
        switch job.summary.state {
        case .completed: return true
        case .discarded, .cancelled, .parked:
            line.clear()
            throw ListingFailed(job: job)
        case .scheduled: line.show("job \(job.summary.id) tries again later: \(job.lastError ?? "no reason given")")
        case .ready: line.show("job \(job.summary.id) waits for its turn")
        case .running: line.show("looking for the tables")
        }
        return false
    }

    private static func text(_ ending: SyncFollow.Ending, _ tenant: TenantID) -> String {
        let name = ending.table.name
        switch ending.outcome {
        case .merged:
            let run = ending.table.ended
            return "\(name): \(ending.table.records) records; \(run?.inserted ?? 0) inserted, "
                + "\(run?.updated ?? 0) updated, \(run?.deleted ?? 0) deleted"
        case .suspicious:
            return "\(name): suspicious, nothing changed: \(ending.reason ?? "too much would be deleted")\n"
                + "Try:   leasehold sync confirm --tenant \(tenant) --table \(ending.table.id)"
        case .gone: return "\(name): Pitchly no longer shows it; its mirror is kept"
        case .parked:
            return "\(name): waits: \(ending.reason ?? "see leasehold jobs list --tenant \(tenant) --state parked")"
        case .failed: return "\(name): failed\nTry:   leasehold jobs list --tenant \(tenant) --kind pitchly.sync_table"
        }
    }
}

/// The job that lists a tenant's tables came to nothing, or waits for somebody.
struct ListingFailed: ExplainedError {
    let job: JobRecord

    var label: String { "listing_failed" }
    var message: String {
        "expected job \(job.summary.id) to list the tables of tenant \(job.summary.tenant), got "
            + "\(job.summary.state.rawValue): \(job.lastError ?? job.parkReason ?? "no reason given")"
    }
    var hint: String? {
        job.parkReason == "authorization"
            ? "leasehold tenants connect \(job.summary.tenant) --access-token-file FILE"
            : "leasehold jobs show \(job.summary.id)"
    }
}
