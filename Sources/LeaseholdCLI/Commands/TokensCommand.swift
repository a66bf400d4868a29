import ArgumentParser
import Foundation
import LeaseholdCore
import TokenVault

/// State and history of the credentials; no command of it can show a token.
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

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Only these: empty, active or needs_authorization.") var state: String?
        @Option(help: "Go on after this tenant.") var after: String?
        @Option(help: "Most rows.") var limit = 100

        func run() async throws {
            let start = try after.map { try TenantID($0) }
            try await Composition(settings, command: "tokens").withVault { vault in
                output.show(Self.table(try await vault.list(state: state, after: start, limit: limit)))
            }
        }

        static func table(_ credentials: [CredentialStatus]) -> Table {
            var table = Table(columns: [
                "tenant", "state", "generation", "access token", "refresh due", "last exchange", "outcome",
                "error class",
                "failures",
            ])
            for credential in credentials {
                table.add([
                    credential.tenant.rawValue,
                    credential.suspectReason.map { "\(credential.state) (\($0))" } ?? credential.state,
                    String(credential.generation), Times.distance(credential.accessExpiresAt, from: credential.now),
                    Times.distance(credential.refreshDueAt, from: credential.now),
                    Times.distance(credential.lastExchangeAt, from: credential.now), credential.lastOutcome,
                    credential.lastErrorClass, String(credential.failures),
                ])
            }
            return table
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one credential and what happened to it.")

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Tenant id.") var tenant: String

        func run() async throws {
            let tenant = try TenantID(tenant)
            try await Composition(settings, command: "tokens").withVault { vault in
                guard let credential = try await vault.status(of: tenant) else { throw NoCredential(tenant: tenant) }
                output.show(Self.facts(credential))
                guard !output.json else { return }
                var events = Table(columns: ["at", "event", "generation", "detail"])
                for event in try await vault.events(of: tenant) {
                    events.add([Times.stamp(event.at), event.kind, String(event.generation), event.detail])
                }
                if !events.isEmpty { print("\n" + events.text()) }
            }
        }

        private static func facts(_ credential: CredentialStatus) -> Table {
            var facts = Table(columns: ["fact", "value"])
            let rows: [(String, String?)] = [
                ("tenant", credential.tenant.rawValue), ("state", credential.state),
                ("generation", String(credential.generation)), ("connected by", credential.connectedBy),
                ("connected", Times.stamp(credential.connectedAt)), ("renewed by", credential.renewedBy),
                ("organization", credential.organization), ("scope", credential.scope),
                ("access token expires", Times.distance(credential.accessExpiresAt, from: credential.now)),
                ("refresh due", Times.distance(credential.refreshDueAt, from: credential.now)),
                ("exchanging now", credential.isExchanging ? "yes" : "no"), ("suspect", credential.suspectReason),
                ("rungs tried", credential.rungsTried.isEmpty ? nil : credential.rungsTried.joined(separator: ", ")),
                ("failures in a row", String(credential.failures)),
                ("last exchange", Times.stamp(credential.lastExchangeAt)), ("last outcome", credential.lastOutcome),
                ("last error class", credential.lastErrorClass),
                ("needs authorization since", Times.stamp(credential.needsAuthorizationAt)),
            ]
            for (fact, value) in rows { facts.add([fact, value]) }
            return facts
        }
    }

    struct Refresh: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Exchanges a tenant's refresh token now, whatever the schedule says."
        )

        @OptionGroup var settings: SettingsOptions
        @Argument(help: "Tenant id.") var tenant: String

        func run() async throws {
            let tenant = try TenantID(tenant)
            try await Composition(settings, command: "tokens").withVault { vault in
                let generation = try await vault.refreshNow(tenant)
                print("\(tenant) is at generation \(generation)")
            }
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

        func run() async throws {
            let tenant = try TenantID(tenant)
            try await Composition(settings, command: "tokens").withVault { vault in
                var table = Table(columns: [
                    "started", "took", "generation", "rung", "grant", "outcome", "error class", "status", "fingerprint",
                ])
                for exchange in try await vault.history(of: tenant, limit: limit) {
                    table.add([
                        Times.stamp(exchange.startedAt),
                        Times.span(exchange.endedAt.timeIntervalSince(exchange.startedAt)), String(exchange.generation),
                        exchange.rung, exchange.grant, exchange.outcome, exchange.errorClass,
                        exchange.httpStatus.map(String.init), exchange.fingerprint,
                    ])
                }
                output.show(table)
            }
        }
    }
}

/// Asked for the credential of a tenant that has none.
struct NoCredential: ExplainedError {
    let tenant: TenantID
    var label: String { "no_credential" }
    var message: String { "expected tenant \(tenant) to have a credential, got none" }
    var hint: String? { "leasehold tenants connect \(tenant) --access-token-file FILE" }
}
