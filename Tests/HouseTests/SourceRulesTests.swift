import Foundation
import Testing

/// Rules of the house that a reader would otherwise have to check by eye.
@Suite struct SourceRulesTests {
    private static let written = [
        ("Plugins", ".swift"), ("Sources", ".swift"), ("Tests", ".swift"), ("sql", ".swift"), ("sql", ".sql"),
    ]

    @Test func noFileIsLongerThan400Lines() throws {
        var long: [String] = []
        for file in try files() where file != "sql/schema.sql" {
            let count = try Repository.lines(of: file).count
            if count > 400 { long.append("\(file) has \(count) lines: split it by verb") }
        }
        #expect(long == [])
    }

    @Test func noFileNamesAreCatchAlls() throws {
        let catchAll = try files().filter { file in
            ["Utils", "Common", "Helpers", "Misc", "Placeholder"].contains {
                file.split(separator: "/").last!.contains($0)
            }
        }
        #expect(catchAll == [])
    }

    @Test func nothingIsLeftForLater() throws {
        // Spelled apart, so that this file does not find itself.
        let marks = ["TO" + "DO", "FIX" + "ME", "fatal" + "Error(", "try" + "!", "as" + "! "]
        var left: [String] = []
        for file in try files() {
            for (number, line) in try Repository.lines(of: file).enumerated() where marks.contains(where: line.contains)
            {
                left.append("\(file):\(number + 1): \(line.trimmingCharacters(in: .whitespaces))")
            }
        }
        #expect(left == [])
    }

    @Test func librariesDoNotPrint() throws {
        let libraries = try files().filter {
            $0.hasPrefix("Sources/") && !$0.hasPrefix("Sources/LeaseholdCLI/")
                && !$0.hasPrefix("Sources/FakePitchlyCommand/")
        }
        for file in libraries {
            let printing = try Repository.lines(of: file).filter {
                $0.trimmingCharacters(in: .whitespaces).hasPrefix("print(")
            }
            #expect(printing == [], "\(file)")
        }
    }

    @Test func testsDoNotSleep() throws {
        let sleeping = ["Task." + "sleep", "u" + "sleep(", "Thread." + "sleep"]
        // The support library makes networks slow on purpose.
        for file in try files() where file.hasPrefix("Tests/") && !file.hasPrefix("Tests/TestSupport/") {
            let found = try Repository.lines(of: file).filter { line in sleeping.contains { line.contains($0) } }
            #expect(found == [], "\(file): wait for a signal or drive a clock instead")
        }
    }

    private func files() throws -> [String] {
        let found = Self.written.flatMap { Repository.files(below: $0.0, endingWith: $0.1) }
        try #require(found.count > 20)
        return found
    }
}
