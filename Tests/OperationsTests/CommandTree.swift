import ArgumentParser
import Foundation

@testable import LeaseholdCLI

/// The program's commands as ArgumentParser describes them to tools (`--experimental-dump-help`).
struct CommandTree: Decodable {
    struct Dump: Decodable { let command: Command }

    struct Command: Decodable {
        let commandName: String
        let abstract: String?
        let discussion: String?
        let shouldDisplay: Bool?
        let subcommands: [Command]?
        let arguments: [Argument]?

        /// Without `help`, which ArgumentParser adds.
        var children: [Command] { (subcommands ?? []).filter { $0.commandName != "help" && $0.shouldDisplay != false } }
    }

    struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
        }

        let kind: String
        let shouldDisplay: Bool
        let isOptional: Bool
        let names: [Name]?
        let valueName: String?
        let abstract: String?
        let defaultValue: String?
    }

    static func read() throws -> Command {
        try JSONDecoder().decode(Dump.self, from: Data(LeaseholdCommand._dumpHelp().utf8)).command
    }
}

extension CommandTree.Command {
    /// Every command below this one and itself, with its whole name and the discussions above it.
    func all(path: [String] = [], above: [String] = []) -> [(path: String, command: CommandTree.Command, help: String)]
    {
        let path = path + [commandName]
        let help = above + [discussion ?? ""]
        return [(path.joined(separator: " "), self, help.joined(separator: "\n"))]
            + children.flatMap { $0.all(path: path, above: help) }
    }
}
