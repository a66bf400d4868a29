import ArgumentParser
import Foundation
import LeaseholdCore
import TokenVault

/// State and history of the credentials; no command of it can show a token.
///
/// Looking needs the database alone. Only `refresh` can exchange, and asks the workers where this
/// machine has no key ring, spool or client secret.
struct TokensCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokens",
        abstract: "Shows and refreshes the tenants' credentials; never shows a token.",
        discussion: """
              leasehold tokens list --state needs_authorization
              leasehold tokens show acme; leasehold tokens history acme
              leasehold tokens refresh acme
            """,
        subcommands: [List.self, Show.self, Refresh.self, History.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists credentials: state, generation, times, last outcome."
        )

        private static let states = ["empty", "active", "needs_authorization"]

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only these: \(List.states.joined(separator: ", ")).") var state: String?
        @Option(help: "Go on after this tenant.") var after: String?
        @Option(help: "Most rows.") var limit = 100

        func validate() throws {
            if let state, !Self.states.contains(state) {
                let known = Self.states.joined(separator: ", ")
                throw ValidationError("expected --state to be one of \(known), got \"\(state)\"")
            }
            try checkLimit(limit)
        }

        func run() async throws {
            let start = try after.map { try TenantID($0) }
            try await Composition(settings, command: "tokens").withInspector { inspector in
                let credentials = try await inspector.list(state: state, after: start, limit: limit)
                try output.show(.credentials(credentials), json: credentials)
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one credential and what happened to it.")

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Tenant id.") var tenant: String

        private struct Answer: Encodable {
            let credential: CredentialStatus
            let events: [CredentialEvent]
        }

        func run() async throws {
            let tenant = try TenantID(tenant)
            try await Composition(settings, command: "tokens").withInspector { inspector in
                guard let credential = try await inspector.status(of: tenant) else {
                    throw NoCredential(tenant: tenant)
                }
                let events = try await inspector.events(of: tenant)
                try output.show(.facts(credential), json: Answer(credential: credential, events: events))
                if !output.json, !events.isEmpty { print("\n" + Table.events(events).text()) }
            }
        }
    }

    struct Refresh: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Exchanges a tenant's refresh token now, whatever the schedule says.",
            discussion: """
                Where key ring, spool and client secret are set, this process makes the exchange. Elsewhere it asks \
                the workers with the role refresh through the database and waits for them.
                """
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Tenant id.") var tenant: String
        @Option(help: "Seconds to wait for a worker, where one has to be asked.") var wait = 30

        func validate() throws {
            guard (1...3600).contains(wait) else {
                throw ValidationError("expected --wait to be 1 to 3600, got \(wait)")
            }
        }

        func run() async throws {
            let tenant = try TenantID(tenant)
            let composition = try Composition(settings, command: "tokens")
            guard composition.hasVaultSettings else {
                return try await composition.withInspector { inspector in
                    let generation = try await inspector.requestRefresh(tenant, patience: .seconds(wait))
                    show(generation, of: tenant, by: "worker", saying: ", refreshed by a worker")
                }
            }
            try await composition.withVault { vault in
                let generation = try await vault.refreshNow(tenant)
                show(generation, of: tenant, by: "this process")
            }
        }

        private func show(_ generation: Int64, of tenant: TenantID, by who: String, saying addition: String = "") {
            output.say(
                "\(tenant) is at generation \(generation)\(addition)",
                ["tenant": tenant.rawValue, "generation": String(generation), "refreshed_by": who]
            )
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists a tenant's exchanges, newest first.",
            discussion: "Two equal fingerprints are one token that was presented twice."
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Tenant id.") var tenant: String
        @Option(help: "Most rows.") var limit = 50

        func validate() throws { try checkLimit(limit) }

        func run() async throws {
            let tenant = try TenantID(tenant)
            try await Composition(settings, command: "tokens").withInspector { inspector in
                let history = try await inspector.history(of: tenant, limit: limit)
                try output.show(.exchanges(history), json: history)
            }
        }
    }
}

private func checkLimit(_ limit: Int) throws {
    guard (1...10_000).contains(limit) else {
        throw ValidationError("expected --limit to be 1 to 10000, got \(limit)")
    }
}

/// Asked for the credential of a tenant that has none.
struct NoCredential: ExplainedError {
    let tenant: TenantID
    var label: String { "no_credential" }
    var message: String { "expected tenant \(tenant) to have a credential, got none" }
    var hint: String? { "leasehold tenants connect \(tenant) --access-token-file FILE" }
}
