import ArgumentParser
import Foundation
import LeaseholdCore
import Postgres
import UnixSignals

/// Shows the service live in a terminal.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows queues, waiting tenants, workers and errors, live.",
        discussion: """
            Draws anew every second until Ctrl-C; where the output is no terminal it prints once. Reads the views of \
            leasehold_dashboard, so a login with the role leasehold_dashboard is enough. ≈ marks an estimate, ≥ a \
            count that stopped at its bound.

              leasehold top
              leasehold top --once --json | jq .overview
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Flag(help: "Print once.") var once = false
    @Option(help: "Seconds between two pictures, 0.2 to 3600.") var every = 1.0
    @Option(help: "Most rows of each table, 1 to 100.") var rows = 10

    func validate() throws {
        guard (0.2...3600).contains(every) else {
            throw ValidationError("expected --every to be 0.2 to 3600 seconds, got \(every)")
        }
        guard (1...100).contains(rows) else { throw ValidationError("expected --rows to be 1 to 100, got \(rows)") }
    }

    func run() async throws {
        try await Composition(settings, command: "top").withPool(needsSchema: false) { pool in
            let terminal = Terminal.current
            if output.json {
                print(try await TopSnapshot.readText(pool, rows: rows))
            } else if once || terminal == nil {
                let screen = TopScreen(width: terminal?.columns ?? 160, height: nil, usesColor: false)
                print(try await picture(pool, screen))
            } else {
                try await live(pool)
            }
        }
    }

    private func picture(_ pool: PostgresPool, _ screen: TopScreen) async throws -> String {
        let snapshot = try TopSnapshot.parse(try await TopSnapshot.readText(pool, rows: rows))
        return screen.lines(snapshot, at: Date()).joined(separator: "\n")
    }

    /// Draws until a signal comes, on the terminal's second screen, so that the first is as it was.
    private func live(_ pool: PostgresPool) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        Terminal.write("\u{1B}[?1049h\u{1B}[?25l")
        defer { Terminal.write("\u{1B}[?25h\u{1B}[?1049l") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in signals { return } }
            group.addTask { try await draw(pool) }
            try await group.next()
            group.cancelAll()
        }
    }

    private func draw(_ pool: PostgresPool) async throws {
        while !Task.isCancelled {
            let terminal = Terminal.current ?? Terminal(columns: 80, lines: 24)
            let screen = TopScreen(width: terminal.columns, height: terminal.lines - 1, usesColor: true)
            let text: String
            do {
                text = try await picture(pool, screen)
            } catch let error as any ExplainedError {
                // A database that is away for a moment is what somebody may be watching for.
                text = "Error: \(error.message)\n\(error.hint.map { "Try:   \($0)" } ?? "")"
            }
            // Line ends clear the rest of their line: nothing flickers.
            Terminal.write("\u{1B}[H" + text.replacing("\n", with: "\u{1B}[K\n") + "\u{1B}[K\u{1B}[J")
            do { try await Task.sleep(for: .seconds(every)) } catch { return }
        }
    }
}

/// The terminal of standard output.
struct Terminal {
    var columns: Int
    var lines: Int

    /// Nil where standard output is no terminal.
    static var current: Terminal? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 1 else {
            return Terminal(columns: 80, lines: 24)
        }
        return Terminal(columns: Int(size.ws_col), lines: Int(size.ws_row))
    }

    static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}
