package import Metrics
import Synchronization

/// Keeps what the process measures and writes it as Prometheus text (exposition format 0.0.4).
///
/// Memory is bounded: beyond ``seriesLimit`` label sets a metric is counted only in
/// `metrics_dropped_series`, because a label that somebody fills with ids would otherwise grow for ever.
package final class PrometheusRegistry: MetricsFactory {
    /// Label sets over all metrics. 10 000 series are some megabytes.
    package let seriesLimit: Int
    private let prefix: String
    private let descriptions: [String: MetricDescription]
    private let state = Mutex(State())

    private struct Key: Hashable {
        let label: String
        let dimensions: String
    }

    private struct State {
        var series: [Key: any Series] = [:]
        var dropped = 0
    }

    /// - Parameter prefix: before every name, with an underscore: `leasehold`.
    package init(prefix: String, catalog: [MetricDescription], seriesLimit: Int = 10_000) {
        self.prefix = prefix
        self.seriesLimit = seriesLimit
        descriptions = Dictionary(catalog.map { ($0.label, $0) }) { first, _ in first }
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions) { _ in CounterSeries() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions) { _ in GaugeSeries() }
    }

    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        aggregate
            ? series(label, dimensions) { HistogramSeries(buckets: $0) }
            : series(label, dimensions) { _ in GaugeSeries() }
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions) { HistogramSeries(buckets: $0) }
    }

    // A series outlives the handle: the next handle of the same name goes on with it.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}

    /// The series of that name and label set, or one that nobody sees if the name is taken by another
    /// kind of metric or the limit is reached.
    private func series<S: Series>(
        _ label: String,
        _ dimensions: [(String, String)],
        make: ([Double]) -> S
    ) -> S {
        let key = Key(label: label, dimensions: PrometheusText.labels(dimensions))
        let buckets = descriptions[label]?.buckets ?? []
        return state.withLock { state in
            if let existing = state.series[key] as? S { return existing }
            let made = make(buckets.isEmpty ? MetricDescription.latencies : buckets)
            guard state.series[key] == nil, state.series.count < seriesLimit else {
                state.dropped += 1
                return made
            }
            state.series[key] = made
            return made
        }
    }

    /// Label sets that were not kept, because of ``seriesLimit`` or because two kinds of metric share a
    /// name.
    package var droppedSeries: Int { state.withLock { $0.dropped } }

    /// Everything, names in order: `# HELP`, `# TYPE`, then one line a series and bucket.
    package func text() -> String {
        let (all, dropped) = state.withLock { ($0.series, $0.dropped) }
        var text = PrometheusText(prefix: prefix)
        for (label, series) in Dictionary(grouping: all, by: \.key.label).sorted(by: { $0.key < $1.key }) {
            let members = series.sorted { $0.key.dimensions < $1.key.dimensions }
            guard let kind = members.first?.value.kind else { continue }
            let name = text.begin(label, kind: kind, help: descriptions[label]?.help ?? "Not described")
            for (key, member) in members where member.kind == kind {
                member.write(to: &text, name: name, labels: key.dimensions)
            }
        }
        let name = text.begin(
            "metrics_dropped_series",
            kind: .counter,
            help: "Label sets that were not kept because there are too many"
        )
        text.add(name, labels: "", value: Double(dropped))
        return text.text
    }
}
