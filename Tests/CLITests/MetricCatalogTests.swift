import Foundation
import PrometheusText
import Testing

@testable import LeaseholdCLI

/// What the program measures and what it says of its metrics are the same.
@Suite struct MetricCatalogTests {
    private struct Measured: Hashable {
        let label: String
        let kind: MetricDescription.Kind
    }

    @Test func everyMetricInTheSourceIsDescribedAndTheOtherWayRound() throws {
        let measured = try Self.measured()
        try #require(measured.count > 20)
        let described = Set(MetricCatalog.all.map { Measured(label: $0.label, kind: $0.kind) })
        #expect(described.count == MetricCatalog.all.count, "a label is described twice")
        #expect(measured.subtracting(described) == [], "measured, but not in MetricCatalog")
        #expect(described.subtracting(measured) == [], "in MetricCatalog, but nowhere measured")
    }

    @Test func namesAndHelpTextsHaveTheirShape() {
        for metric in MetricCatalog.all {
            #expect(metric.label.wholeMatch(of: /[a-z]+(_[a-z]+)*/) != nil, "\(metric.label)")
            #expect(!metric.help.isEmpty && !metric.help.hasSuffix("."), "\(metric.label)")
            if let unit = metric.unit { #expect(metric.label.hasSuffix("_" + unit), "\(metric.label)") }
        }
    }

    /// Each place that makes a metric, by its literal label; one without a literal fails the test.
    private static func measured() throws -> Set<Measured> {
        let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources")
        let kinds: [Substring: MetricDescription.Kind] = [
            "Counter": .counter, "FloatingPointCounter": .counter, "Gauge": .gauge, "Meter": .gauge,
            "Timer": .histogram, "Recorder": .histogram,
        ]
        let making = /(Counter|FloatingPointCounter|Gauge|Meter|Timer|Recorder)\(\s*label:\s*([^,)\s]+)/
        let files = try #require(FileManager.default.enumerator(atPath: sources.path()))
        var found: Set<Measured> = []
        for case let file as String in files where file.hasSuffix(".swift") && !file.hasPrefix("PrometheusText/") {
            let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
            for match in text.matches(of: making) {
                #expect(match.2.hasPrefix("\""), "\(file): expected a literal label, got \(match.2)")
                let kind = try #require(kinds[match.1])
                found.insert(Measured(label: match.2.trimmingCharacters(in: ["\""]), kind: kind))
            }
        }
        return found
    }
}
