import ArgumentParser
import JobQueue
import LeaseholdCore

/// Who did what by hand.
struct ActionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "actions",
        abstract: "Lists what people did by hand, newest first: who, by which way, to what.",
        discussion: """
            Everything that steers is written down, by the page, the API, this command or psql: retry, cancel and \
            discard of jobs, pauses and limits, tenants, schedules, API keys. In SQL: leasehold_dashboard.action_log.

              leasehold actions --tenant acme
              leasehold actions --job 42
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "Only what was done to this tenant.") var tenant: String?
    @Option(help: "Only what was done to this job.") var job: Int64?
    @Option(help: "Only with a lower id: the last one of the page before.") var before: Int64?
    @Option(help: "Most rows.") var limit = 50

    func validate() throws {
        guard (1...10_000).contains(limit) else {
            throw ValidationError("expected --limit to be 1 to 10000, got \(limit)")
        }
    }

    func run() async throws {
        let tenant = try tenant.map { try TenantID($0) }
        try await Composition(settings, command: "actions").withPool { pool in
            var table = Table(columns: ["id", "when", "who", "via", "login", "did", "to", "detail"])
            let records = try await ActionLog(pool: pool).list(
                tenant: tenant,
                job: job.map(JobID.init(rawValue:)),
                before: before,
                limit: limit
            )
            for record in records {
                table.add([
                    String(record.id),
                    output.json ? Times.stamp(record.doneAt) : Times.distance(record.doneAt, from: record.now),
                    record.actor, record.via, record.login, record.verb, record.target, record.detail,
                ])
            }
            output.show(table)
        }
    }
}
