import ArgumentParser
import ControlAPI
import Foundation
import LeaseholdCore

/// The keys of the HTTP interface.
struct APIKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api-keys",
        abstract: "Makes, lists and revokes keys of the HTTP interface.",
        discussion: """
              leasehold api-keys list
              leasehold api-keys revoke k3v9q2m7x1ab
            """,
        subcommands: [Create.self, List.self, Revoke.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a key and prints it, this once.",
            discussion: """
                Scopes: \(APIScope.allCases.map(\.rawValue).joined(separator: ", ")).

                  leasehold api-keys create billing --scope jobs:write --scope jobs:read
                  leasehold api-keys create acme-backend --scope tokens:read --tenant acme --days 90
                """
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "What the key is for; shown in lists.") var name: String
        @Option(help: "What the key may do; may be given several times.") var scope: [String]
        @Option(help: "The only tenant that the key may see.") var tenant: String?
        @Option(help: "Days until it expires; never, if it is not given.") var days: Int?

        func run() async throws {
            let scopes = try Set(scope.map { try Self.scope($0) })
            guard !scopes.isEmpty else { throw APIKeyChoiceError(expected: "at least one --scope", got: "none") }
            if let days, !(1...36_500).contains(days) {
                throw APIKeyChoiceError(expected: "--days from 1 to 36500", got: String(days))
            }
            let tenant = try tenant.map { try TenantID($0) }
            guard tenant == nil || !scopes.contains(.admin) else {
                throw APIKeyChoiceError(expected: "an admin key without --tenant", got: "both")
            }
            let lifetime = days.map { Duration.seconds($0 * 86_400) }
            let composition = try Composition(settings, command: "api-keys")
            try await composition.withPool { pool in
                let made = try await APIKeyStore(pool: pool, as: composition.source)
                    .create(name: name, scopes: scopes, tenant: tenant, lifetime: lifetime)
                var table = Table(columns: ["id", "key", "expires"])
                table.add([made.id, made.key.reveal(), Times.stamp(made.expiresAt) ?? "never"])
                output.show(table)
            }
        }

        private static func scope(_ text: String) throws -> APIScope {
            guard let scope = APIScope(rawValue: text) else {
                throw APIKeyChoiceError(
                    expected: "--scope to be one of \(APIScope.allCases.map(\.rawValue).joined(separator: ", "))",
                    got: "\"\(text)\""
                )
            }
            return scope
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists keys: scopes, tenant, last use; never a key.")

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Composition(settings, command: "api-keys").withPool { pool in
                var table = Table(columns: ["id", "name", "state", "scopes", "tenant", "last used", "expires"])
                for key in try await APIKeyStore(pool: pool).list() {
                    table.add([
                        key.id, key.name, key.state, key.scopes.joined(separator: " "), key.tenant,
                        Times.distance(key.lastUsedAt, from: key.now), Times.distance(key.expiresAt, from: key.now),
                    ])
                }
                output.show(table)
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Refuses a key from now on and ends its sessions.")

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Id of the key, of leasehold api-keys list.") var id: String

        func run() async throws {
            let composition = try Composition(settings, command: "api-keys")
            try await composition.withPool { pool in
                try await APIKeyStore(pool: pool, as: composition.source).revoke(id)
                output.say("\(id) is revoked", ["id": id, "state": "revoked"])
            }
        }
    }
}

/// The words of `api-keys create` do not make a key.
struct APIKeyChoiceError: ExplainedError {
    let expected: String
    let got: String
    var label: String { "api_key_choice" }
    var message: String { "expected \(expected), got \(got)" }
    var hint: String? { "leasehold api-keys create NAME --scope jobs:read" }
}
