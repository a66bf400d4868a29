import ArgumentParser
import Foundation
import LeaseholdCore
import TokenVault

/// The keys that seal tokens at rest.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Makes, shows and rotates the keys that seal tokens at rest.",
        discussion: """
              leasehold keys status
              leasehold keys rotate --retire 20250301
            """,
        subcommands: [New.self, Status.self, Rotate.self]
    )

    struct New: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a line with a new key, for the key ring's file.",
            discussion: """
                The newest key stands first in the file, so put the line at its top, let every worker read the file, \
                then seal everything with it:

                  (umask 077; leasehold keys new > keyring)
                  leasehold keys rotate --keyring-file keyring
                """
        )

        @Option(help: "Id of the key; today's date if it is not given.") var id: String?

        func run() throws {
            print(try KeyRing.makeLine(id: id ?? Date().formatted(Date.ISO8601FormatStyle().year().month().day())))
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows what each key seals and which may go.")

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await Composition(settings, command: "keys").withVault { vault in
                var table = Table(columns: [
                    "key", "held here", "newest", "cells", "archived", "spooled here", "in use", "first seen",
                    "retired",
                ])
                for key in try await vault.keyStatus() {
                    table.add([
                        key.id, key.isHeld ? "yes" : "no", key.isNewest ? "yes" : "no", String(key.cells),
                        String(key.archived), String(key.spooled), key.isInUse ? "yes" : "no",
                        Times.stamp(key.firstSeenAt), Times.stamp(key.retiredAt),
                    ])
                }
                output.show(table)
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Seals every token with the newest key; exchanges go on meanwhile."
        )

        @OptionGroup var settings: SettingsOptions
        @OptionGroup var output: OutputOptions
        @Option(help: "Afterwards note this key as retired; refused while anything is sealed with it.")
        var retire: String?

        func run() async throws {
            try await Composition(settings, command: "keys").withVault { vault in
                let count = try await vault.rotateKeys()
                if let retire { try await vault.retireKey(retire) }
                output.say(
                    "sealed \(count) cells anew"
                        + (retire.map { "\n\($0) is retired: its line may leave the key ring" } ?? ""),
                    ["sealed": String(count), "retired": retire]
                )
            }
        }
    }
}
