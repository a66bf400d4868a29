import ArgumentParser
import Foundation
import JobQueue
import LeaseholdCore

/// The organisations whose jobs run here.
struct TenantsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenants",
        abstract: "Adds, connects, lists, pauses and resumes tenants.",
        discussion: """
              leasehold tenants list --json
              leasehold tenants show acme
              leasehold tenants pause acme; leasehold tenants resume acme
            """,
        subcommands: [
            Add.self, TenantsConnectCommand.self, List.self, Show.self, Limit.self,
            PauseCommand<TenantID>.self, ResumeCommand<TenantID>.self,
        ]
    )

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a tenant, or renames the one that is there.",
            discussion: "  leasehold tenants add acme --name 'Acme Inc.'"
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Tenant id: 1 to 128 of A-Z a-z 0-9 . _ : -, a letter or digit first.") var tenant: String
        @Option(help: "Name for people.") var name: String?

        func run() async throws {
            let tenant = try TenantID(tenant)
            let composition = try Composition(settings, command: "tenants")
            try await composition.withPool { pool in
                let isNew = try await TenantStore(pool: pool, as: composition.source).add(tenant, name: name)
                output.say(
                    isNew ? "added \(tenant)" : "\(tenant) was there already",
                    ["tenant": tenant.rawValue, "was there": String(!isNew)]
                )
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists tenants with the state of their credentials.")

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Go on after this tenant.") var after: String?
        @Option(help: "Most rows.") var limit = 100

        func run() async throws {
            let start = try after.map { try TenantID($0) }
            try await Composition(settings, command: "tenants").withPool { pool in
                var table = Table(columns: [
                    "tenant", "name", "state", "credential", "generation", "access token", "weight", "max running",
                ])
                for tenant in try await TenantStore(pool: pool).list(after: start, limit: limit) {
                    table.add([
                        tenant.id.rawValue, tenant.name, tenant.state, tenant.credentialState,
                        tenant.generation.map { String($0) }, Times.distance(tenant.accessExpiresAt, from: tenant.now),
                        String(tenant.weight), tenant.maxRunning.map { String($0) },
                    ])
                }
                output.show(table)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows one tenant: settings, credential, jobs that wait or run."
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Tenant id.") var tenant: String

        func run() async throws {
            let id = try TenantID(tenant)
            try await Composition(settings, command: "tenants").withPool { pool in
                let (tenant, load) = try await TenantStore(pool: pool).show(id)
                var facts = Table(columns: ["fact", "value"])
                let rows: [(String, String?)] = [
                    ("tenant", tenant.id.rawValue), ("name", tenant.name), ("state", tenant.state),
                    ("credential", tenant.credentialState), ("generation", tenant.generation.map { String($0) }),
                    ("access token expires", Times.distance(tenant.accessExpiresAt, from: tenant.now)),
                    ("weight", String(tenant.weight)), ("max running", tenant.maxRunning.map { String($0) }),
                    ("starts per second", load.ratePerSecond.map { String($0) }),
                    ("burst", load.rateBurst.map { String($0) }), ("jobs running", String(load.running)),
                    ("jobs parked", String(load.parked)), ("settings", load.settings),
                    ("added", Times.stamp(tenant.createdAt)),
                ]
                for (fact, value) in rows { facts.add([fact, value]) }
                output.show(facts)
            }
        }
    }

    struct Limit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sets a tenant's share and limits, all at once; what is not given is no limit.",
            discussion: "  leasehold tenants limit acme --weight 2 --max-running 10"
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Tenant id.") var tenant: String
        @Option(help: "Share relative to other tenants with work, 0.01 to 1000.") var weight = 1.0
        @Option(help: "Most jobs running at once.") var maxRunning: Int?
        @Option(help: "Jobs started per second on average.") var ratePerSecond: Double?
        @Option(help: "Jobs that may start at once after a quiet time.") var rateBurst: Int?

        func validate() throws {
            guard (0.01...1000).contains(weight) else {
                throw ValidationError("expected --weight to be 0.01 to 1000, got \(weight)")
            }
            guard maxRunning ?? 1 > 0, ratePerSecond ?? 1 > 0, rateBurst ?? 1 > 0 else {
                throw ValidationError("expected limits above 0; to stop a tenant: leasehold tenants pause \(tenant)")
            }
        }

        func run() async throws {
            let tenant = try TenantID(tenant)
            let composition = try Composition(settings, command: "tenants")
            try await composition.withPool { pool in
                let limits = QueueLimits(maxRunning: maxRunning, ratePerSecond: ratePerSecond, rateBurst: rateBurst)
                try await TenantStore(pool: pool, as: composition.source).limit(tenant, to: limits, weight: weight)
                output.say(
                    "\(tenant) is limited",
                    [
                        "tenant": tenant.rawValue, "weight": String(weight),
                        "max running": maxRunning.map { String($0) },
                        "rate per second": ratePerSecond.map { String($0) }, "rate burst": rateBurst.map { String($0) },
                    ]
                )
            }
        }
    }
}
