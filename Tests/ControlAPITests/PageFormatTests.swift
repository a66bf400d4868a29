import Testing

@testable import ControlAPI

@Suite struct PageFormatTests {
    @Test(
        arguments: [
            (0, "0/s"), (1234.5, "1\u{202F}235/s"), (12.5, "12.5/s"), (0.1, "0.1/s"), (0.05, "3/min"),
            (1 / 300, "0.2/min"),
            (1 / 3600, "1/h"),
        ] as [(Double, String)]
    )
    func aRateIsWrittenInTheUnitInWhichItCanBeRead(_ perSecond: Double, _ text: String) {
        #expect(PageFormat.rate(perSecond) == text)
    }

    @Test func noRateIsNoText() { #expect(PageFormat.rate(nil) == nil) }

    /// The template sees a cell by the names that it knows, so it has to know all of them.
    @Test func aCellKnowsEachOfItsParts() {
        var cell = PageCell("seven", link: "/jobs/7", tone: "num", exact: "7.0")
        cell.column = "Job"
        let parts = Mirror(reflecting: cell).children.compactMap { part in
            part.label.map { ($0, part.value as? String) }
        }
        #expect(parts.count == 5)
        for (name, value) in parts {
            #expect(value != nil && cell.child(named: name) as? String == value, "\(name)")
        }
        #expect(PageCell("seven").child(named: "link") == nil)
        #expect(PageTableRow(cells: [cell]).child(named: "cells") is [PageCell])
    }

    /// What a cell lacks it does not take from what is round it.
    @Test func aCellWithoutALinkIsPlain() {
        var view = PageView("Heading")
        view.tables = [
            PageTable(
                "Table",
                ["One", "Two"],
                empty: "-",
                rows: [[PageCell("a&b", link: "/x", exact: "exactly"), PageCell("plain")]]
            )
        ]
        let page = PageTemplates.render("view", view)
        #expect(page.contains(#"data-column="One"><span title="exactly"><a href="/x">a&amp;b</a></span></td>"#))
        #expect(page.contains(#"data-column="Two"><span>plain</span></td>"#))
    }
}
