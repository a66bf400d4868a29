import ArgumentParser
import Foundation
import Testing

@testable import LeaseholdCLI

/// Every command explains itself, shows how it is called, and answers programs too.
@Suite struct CommandTreeTests {
    /// Commands whose output is not an answer: what runs until it is stopped, and a line for a file.
    private static let withoutJSON: Set<String> = [
        "leasehold worker", "leasehold serve", "leasehold demo", "leasehold keys new",
    ]

    @Test func everyCommandHasAnAbstractAndAnExample() throws {
        let commands = try CommandTree.read().all()
        #expect(commands.count > 20)
        for (path, command, help) in commands {
            #expect(command.abstract?.hasSuffix(".") == true, "\(path): its abstract is a sentence")
            guard command.children.isEmpty else { continue }
            #expect(
                help.split(separator: "\n").contains { $0.hasPrefix("  ") && $0.contains(path) },
                "\(path): an indented line of its help, or of a command above it, shows a call"
            )
        }
    }

    @Test func everyCommandThatAnswersAnswersInJSON() throws {
        for (path, command, _) in try CommandTree.read().all() where command.children.isEmpty {
            let hasJSON = command.arguments?.contains { $0.names?.contains { $0.name == "json" } == true } == true
            #expect(hasJSON != Self.withoutJSON.contains(path), "\(path)")
        }
    }

    @Test func everyOptionIsExplained() throws {
        for (path, command, _) in try CommandTree.read().all() {
            for argument in command.arguments ?? [] where argument.shouldDisplay {
                #expect(
                    argument.abstract?.isEmpty == false,
                    "\(path) \(argument.names?.first?.name ?? argument.valueName ?? "")"
                )
            }
        }
    }

    @Test func theManualPageIsMadeFromTheHelp() throws {
        let made = ManualPage(root: try CommandTree.read()).text()
        if ProcessInfo.processInfo.environment["LEASEHOLD_UPDATE_MAN"] == "1" {
            try Data(made.utf8).write(to: Checkout.root.appending(path: "deploy/man/leasehold.1"))
        }
        let kept = try Checkout.text("deploy/man/leasehold.1")
        let difference = zip(kept.split(separator: "\n"), made.split(separator: "\n")).first { $0 != $1 }
        #expect(
            kept == made,
            "deploy/man/leasehold.1 differs first at \(String(describing: difference)). Try: LEASEHOLD_UPDATE_MAN=1 scripts/test CommandTreeTests"
        )
    }

    @Test(arguments: [CompletionShell.bash, .zsh, .fish])
    func completionsKnowEveryCommand(shell: CompletionShell) throws {
        let script = LeaseholdCommand.completionScript(for: shell)
        for (path, _, _) in try CommandTree.read().all() {
            let word = path.split(separator: " ").last.map(String.init) ?? ""
            #expect(script.contains(word), "\(shell.rawValue): \(path)")
        }
    }
}
