import Foundation
import LeaseholdCore
import TestSupport
import Testing

@testable import LeaseholdCLI

extension EndToEndTests {
    /// The demo as a new user runs it, with a canary: every token the fake ever gave out is looked for in
    /// everything that the demo's processes wrote, in their argument lists and in the database.
    @Suite struct DemoTests {
        @Test func everythingHoldsAndNoTokenIsSeenAnywhere() async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "leasehold-demo-\(UUID().uuidString)")
            let output = folder.appendingPathExtension("out")
            defer {
                try? FileManager.default.removeItem(at: folder)
                try? FileManager.default.removeItem(at: output)
            }
            try await withEmptyDatabase { database in
                let demo = try ChildProcess(
                    [
                        World.leasehold.path(), "demo", "--database-url", database.url, "--folder", folder.path(),
                        "--keep",
                    ],
                    environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? ""],
                    inheritsEnvironment: false,
                    outputPath: output.path()
                )
                var argumentLists = ""
                let clock = ContinuousClock()
                while demo.isRunning {
                    argumentLists += Self.argumentLists()
                    try await clock.sleep(for: .milliseconds(200))
                }
                let said = try String(contentsOf: output, encoding: .utf8)
                let port = try String(contentsOf: folder.appending(path: "fake-pitchly.port"), encoding: .utf8)
                let pitchly = DemoPitchly(
                    origin: "http://127.0.0.1:\(port.trimmingCharacters(in: .whitespacesAndNewlines))"
                )
                let tokens = try await pitchly.secrets()
                let dump = try Self.output(of: "pg_dump", "--dbname", database.url)
                let logs = try FileManager.default.contentsOfDirectory(
                    at: folder.appending(path: "logs"),
                    includingPropertiesForKeys: nil
                ).map { try String(contentsOf: $0, encoding: .utf8) }.joined()
                Self.killAll(in: folder)

                #expect(said.contains("Everything held."), "\(said)")
                #expect(said.contains("worker-1 killed with SIGKILL"))
                #expect(tokens.count > 100)
                // The canary sings: the same search finds what is there to be found.
                #expect(try Self.found(tokens, in: "x" + tokens[0] + "y") == [tokens[0]])
                // A dump shows bytea in hexadecimal.
                let hexadecimal = tokens.map { $0.utf8.map { String(format: "%02x", $0) }.joined() }
                #expect(try Self.found(hexadecimal, in: dump) == [], "an unsealed token is in the database")
                for (place, text) in [
                    ("the demo's output", said), ("the logs", logs), ("the process list", argumentLists),
                    ("the database", dump),
                ] {
                    #expect(text.count > 100, "\(place) is empty")
                    #expect(try Self.found(tokens, in: text) == [], "a token is in \(place)")
                }
            }
        }

        /// Which of `tokens` stand in `text`: the lines of a search by grep, which is made for it.
        private static func found(_ tokens: [String], in text: String) throws -> [String] {
            let files = FileManager.default
            let base = files.temporaryDirectory.appending(path: "canary-\(UUID().uuidString)")
            let (patterns, searched) = (base.appendingPathExtension("tokens"), base.appendingPathExtension("text"))
            defer { for file in [patterns, searched] { try? files.removeItem(at: file) } }
            try Data(tokens.joined(separator: "\n").utf8).write(to: patterns)
            try Data(text.utf8).write(to: searched)
            return try output(of: "grep", "-a", "-o", "-F", "-f", patterns.path(), searched.path())
                .split(separator: "\n").map(String.init)
        }

        private static func output(of command: String...) throws -> String {
            let process = Process()
            let output = Pipe()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = command
            process.standardOutput = output
            try process.run()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return text
        }

        private static func argumentLists() -> String {
            let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
            return processes.filter { Int($0) != nil }.compactMap { pid in
                FileManager.default.contents(atPath: "/proc/\(pid)/cmdline").map { String(decoding: $0, as: UTF8.self) }
            }.joined(separator: "\n")
        }

        private static func killAll(in folder: URL) {
            let pids = (try? String(contentsOf: folder.appending(path: "pids"), encoding: .utf8)) ?? ""
            for pid in pids.split(separator: "\n").compactMap({ Int32($0) }) { kill(pid, SIGKILL) }
        }
    }
}
