import ArgumentParser
import Foundation
import LeaseholdCore
import PitchlySync

/// The outbox of changes for Pitchly; services write to it with the SQL function `leasehold.push`.
struct PushCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Shows and steers changes on their way to Pitchly.",
        discussion: """
            Services write them in SQL, inside their own transactions:

              select leasehold.push('acme', 'tblXGzqcXTH7PX7fj', 'recHBSESizM5jEmiRRn',
                '{"fldEfek48BRpD3kAksh": {"val": "Omaha"}}', 'event 4711');
            """,
        subcommands: [List.self, Show.self, Retry.self, Cancel.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists a tenant's pushes, newest first.",
            discussion: "  leasehold push list --tenant acme --state failed"
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @OptionGroup var target: SyncTarget
        @Option(help: "Only in this state: \(PushOutbox.states.joined(separator: ", ")).") var state: String?
        @Option(help: "Only with a lower id: the last one of the page before.") var before: Int64?
        @Option(help: "Most rows.") var limit = 50

        func validate() throws {
            if let state, !PushOutbox.states.contains(state) {
                throw ValidationError(
                    "expected --state to be one of \(PushOutbox.states.joined(separator: ", ")), got \"\(state)\""
                )
            }
            guard (1...10_000).contains(limit) else {
                throw ValidationError("expected --limit to be 1 to 10000, got \(limit)")
            }
        }

        func run() async throws {
            let tenant = try target.tenantID
            try await withOutbox(settings) { outbox in
                var table = Table(columns: [
                    "push", "table", "record", "state", "attempts", "written", "due", "ended", "error class", "error",
                ])
                let pushes = try await outbox.list(
                    of: tenant,
                    table: target.table,
                    state: state,
                    before: before,
                    limit: limit
                )
                for push in pushes {
                    table.add([
                        String(push.id), push.table, push.record, push.state, String(push.attempts),
                        Times.stamp(push.createdAt), push.state == "waiting" ? Times.stamp(push.dueAt) : nil,
                        Times.stamp(push.endedAt), push.errorClass, push.error,
                    ])
                }
                output.show(table)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one push with the values it sets.",
            discussion: "  leasehold push show --tenant acme 17"
        )

        @OptionGroup var target: PushTarget

        func run() async throws {
            try await target.withPush { outbox, push, tenant in
                let push = try await outbox.show(push, of: tenant)
                var facts = Table(columns: ["fact", "value"])
                let rows: [(String, String?)] = [
                    ("push", String(push.id)), ("tenant", tenant.rawValue), ("table", push.table),
                    ("record", push.record),
                    ("match fields", push.matchFields?.joined(separator: ", ")), ("state", push.state),
                    ("attempts", String(push.attempts)), ("written", Times.stamp(push.createdAt)),
                    ("due", push.state == "waiting" ? Times.stamp(push.dueAt) : nil),
                    ("last attempt", Times.stamp(push.attemptedAt)), ("ended", Times.stamp(push.endedAt)),
                    ("idempotency key", push.idempotencyKey), ("error class", push.errorClass), ("error", push.error),
                    ("changes", push.changes),
                ]
                for (fact, value) in rows { facts.add([fact, value]) }
                target.output.show(facts)
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sends a push that failed or was cancelled after all, or one that waits at once.",
            discussion: "  leasehold push retry --tenant acme 17"
        )

        @OptionGroup var target: PushTarget

        func run() async throws { try await target.steer { try await $0.retry($1, of: $2) } }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a waiting push without sending it; one that is under way may still arrive.",
            discussion: "  leasehold push cancel --tenant acme 17"
        )

        @OptionGroup var target: PushTarget

        func run() async throws { try await target.steer { try await $0.cancel($1, of: $2) } }
    }
}

/// Which push.
struct PushTarget: ParsableArguments {
    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "Tenant id.") var tenant: String
    @Argument(help: "Id of the push.") var push: Int64

    fileprivate func withPush(_ body: (PushOutbox, Int64, TenantID) async throws -> Void) async throws {
        let tenant = try TenantID(tenant)
        try await withOutbox(settings) { try await body($0, push, tenant) }
    }

    /// - Parameter action: returns the push's state afterwards.
    fileprivate func steer(_ action: (PushOutbox, Int64, TenantID) async throws -> String) async throws {
        try await withPush { outbox, push, tenant in
            let state = try await action(outbox, push, tenant)
            output.say("push \(push) is \(state)", ["push": String(push), "state": state])
        }
    }
}

private func withOutbox(_ settings: SettingsOptions, _ body: (PushOutbox) async throws -> Void) async throws {
    try await Composition(settings, command: "push").withPool { try await body(PushOutbox(pool: $0)) }
}
