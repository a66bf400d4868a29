import Foundation
import Testing

@testable import LeaseholdCLI

/// The README's settings table is made from the catalogue.
@Suite struct ReadmeTests {
    private static let start =
        "<!-- settings: made from the catalogue by LEASEHOLD_UPDATE_README=1 scripts/test ReadmeTests -->\n"
    private static let end = "<!-- end of settings -->"
    private static let file = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().appending(
            path: "README.md"
        )

    @Test func theSettingsTableIsTheCatalogue() throws {
        let text = try String(contentsOf: Self.file, encoding: .utf8)
        let before = try #require(text.range(of: Self.start))
        let after = try #require(text.range(of: Self.end))
        let table = Self.table()
        if ProcessInfo.processInfo.environment["LEASEHOLD_UPDATE_README"] == "1" {
            let updated = text[..<before.upperBound] + table + text[after.lowerBound...]
            try Data(updated.utf8).write(to: Self.file)
            return
        }
        #expect(String(text[before.upperBound..<after.lowerBound]) == table)
    }

    private static func table() -> String {
        let rows = SettingsCatalog.all.map { setting in
            "| `\(setting.environmentName)` | \(setting.defaultText.map { "`\($0)`" } ?? "") | \(setting.help) |\n"
        }
        return "| variable | default | meaning |\n|---|---|---|\n" + rows.joined()
    }
}
