import Foundation
import Metrics
import TestSupport
import Testing

@testable import PrometheusText

@Suite struct PrometheusTextTests {
    private let registry = PrometheusRegistry(
        prefix: "app",
        catalog: [
            .counter("job_claimed", "Jobs claimed"),
            .gauge("job_running", "Jobs\nrunning \\ now"),
            .seconds("run_seconds", "How long jobs ran", buckets: [0.1, 1]),
        ]
    )

    @Test func aCounterIsWrittenWithTotalHelpAndType() {
        Counter(label: "job_claimed", dimensions: [("kind", "a")], factory: registry).increment(by: 3)
        // A second handle goes on with the same series.
        Counter(label: "job_claimed", dimensions: [("kind", "a")], factory: registry).increment(by: 4)
        #expect(
            registry.text().hasPrefix(
                """
                # HELP app_job_claimed_total Jobs claimed
                # TYPE app_job_claimed_total counter
                app_job_claimed_total{kind="a"} 7

                """
            )
        )
    }

    @Test func aCounterNeverFalls() {
        let counter = CounterSeries()
        counter.increment(by: 2)
        counter.increment(by: -5)
        var text = PrometheusText(prefix: "app")
        counter.write(to: &text, name: "x_total", labels: "")
        #expect(text.text == "x_total 2\n")
    }

    @Test func aHistogramIsCumulativeAndABoundBelongsToItsBucket() {
        let timer = Metrics.Timer(label: "run_seconds", factory: registry)
        for milliseconds in [50, 100, 101, 5000] { timer.recordMilliseconds(milliseconds) }
        let lines = registry.text().split(separator: "\n").filter { $0.hasPrefix("app_run_seconds") }
        #expect(
            lines == [
                "app_run_seconds_bucket{le=\"0.1\"} 2", "app_run_seconds_bucket{le=\"1\"} 3",
                "app_run_seconds_bucket{le=\"+Inf\"} 4", "app_run_seconds_sum 5.251", "app_run_seconds_count 4",
            ]
        )
    }

    @Test func helpAndValuesAreEscaped() {
        Gauge(label: "job_running", dimensions: [("queue", "a\"b\\c\nd")], factory: registry).record(2)
        let text = registry.text()
        #expect(text.contains("# HELP app_job_running Jobs\\nrunning \\\\ now\n"))
        #expect(text.contains("app_job_running{queue=\"a\\\"b\\\\c\\nd\"} 2\n"))
    }

    @Test func namesAreMadeSafe() {
        #expect(PrometheusText.safeName("9lives.of-a cat", colons: false) == "_9lives_of_a_cat")
        #expect(PrometheusText.labels([("b", "2"), ("a", "1"), ("b", "3")]) == "a=\"1\",b=\"3\"")
        #expect(PrometheusText.number(.infinity) == "+Inf")
        #expect(PrometheusText.number(0.25) == "0.25")
    }

    @Test func twoKindsOfOneNameDoNotMix() {
        Counter(label: "job_claimed", factory: registry).increment()
        Gauge(label: "job_claimed", factory: registry).record(99)
        #expect(!registry.text().contains("99"))
        #expect(registry.droppedSeries == 1)
    }

    @Test func memoryIsBounded() {
        let small = PrometheusRegistry(prefix: "app", catalog: [], seriesLimit: 3)
        for number in 0..<10 {
            Counter(label: "c", dimensions: [("id", "\(number)")], factory: small).increment()
        }
        let lines = small.text().split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("app_c_total") } == 3)
        #expect(lines.last == "app_metrics_dropped_series_total 7")
    }

    @Test func aMeterGoesUpAndDown() {
        let meter = Meter(label: "job_running", factory: registry)
        meter.increment(by: 5)
        meter.decrement(by: 2)
        #expect(registry.text().contains("app_job_running 3\n"))
    }

    private static let promtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: promtool != nil, "promtool is missing: scripts/setup installs it"))
    func promtoolAcceptsTheText() throws {
        let promtool = try #require(Self.promtool)
        Counter(label: "job_claimed", dimensions: [("kind", "a\"\n\\")], factory: registry).increment()
        Gauge(label: "job_running", factory: registry).record(1)
        Metrics.Timer(label: "run_seconds", factory: registry).recordSeconds(0.2)
        let process = Process()
        process.executableURL = URL(filePath: promtool)
        process.arguments = ["check", "metrics"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardError = output
        process.standardOutput = output
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(registry.text().utf8))
        try input.fileHandleForWriting.close()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    }
}
