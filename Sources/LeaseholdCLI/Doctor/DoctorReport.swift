import ArgumentParser
import Foundation

/// The findings of one run of `leasehold doctor`, in the order in which the checks were made.
struct DoctorReport: Sendable, Equatable {
    private(set) var findings: [Finding] = []

    mutating func add(_ finding: Finding) { findings.append(finding) }

    mutating func add(_ found: [Finding]) { findings += found }

    /// Runs one check. An error of it is a finding too, so that the checks after it are still made.
    mutating func check(_ name: String, _ body: () async throws -> [Finding]) async {
        do {
            findings += try await body()
        } catch {
            findings.append(Finding(name, failed: error))
        }
    }

    /// The gravest level found.
    var level: Finding.Level {
        for level in [Finding.Level.problem, .warning, .note] where findings.contains(where: { $0.level == level }) {
            return level
        }
        return .ok
    }

    /// As monitoring plugins answer: 0 all is well, 1 a warning, 2 a problem.
    var exitStatus: Int32 {
        switch level {
        case .ok, .note: 0
        case .warning: 1
        case .problem: 2
        }
    }

    /// For people: a line per finding, below it what to do, at the end the count.
    func text() -> String {
        let width = Finding.Level.allCases.map(\.rawValue.count).max() ?? 0
        var lines: [String] = []
        for finding in findings {
            let level = finding.level.rawValue.padding(toLength: width, withPad: " ", startingAt: 0)
            let subject = finding.subject.map { " \($0)" } ?? ""
            lines.append("\(level)  \(finding.check)\(subject): \(finding.message)")
            if let command = finding.command {
                lines.append(String(repeating: " ", count: width + 2) + "Try: \(command)")
            }
        }
        let counts = Finding.Level.allCases.reversed().map { level in
            "\(findings.count { $0.level == level }) \(level.rawValue)"
        }
        return (lines + [counts.joined(separator: ", ")]).joined(separator: "\n")
    }

    /// For programs: `{"level": "warning", "findings": [{"level", "check", "subject", "message",
    /// "command"}]}`; subject and command are left out where there is none.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(Answer(level: level, findings: findings)), as: UTF8.self)
    }

    private struct Answer: Encodable {
        let level: Finding.Level
        let findings: [Finding]
    }

    /// Prints the report and ends the command with ``exitStatus``.
    func finish(_ output: OutputOptions) throws {
        print(output.json ? try json() : text())
        if exitStatus != 0 { throw ExitCode(exitStatus) }
    }
}
