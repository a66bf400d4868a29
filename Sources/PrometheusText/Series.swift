import Metrics
import Synchronization

/// One metric with one label set.
protocol Series: Sendable {
    var kind: MetricDescription.Kind { get }
    func write(to text: inout PrometheusText, name: String, labels: String)
}

/// Only rises; starts at 0 with the process.
final class CounterSeries: CounterHandler, Series {
    let kind = MetricDescription.Kind.counter
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) {
        // A counter that fell would look like a restart.
        guard amount > 0 else { return }
        value.wrappingAdd(amount, ordering: .relaxed)
    }

    func reset() { value.store(0, ordering: .relaxed) }

    func write(to text: inout PrometheusText, name: String, labels: String) {
        text.add(name, labels: labels, value: Double(value.load(ordering: .relaxed)))
    }
}

/// The last value.
final class GaugeSeries: MeterHandler, RecorderHandler, Series {
    let kind = MetricDescription.Kind.gauge
    private let value = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func write(to text: inout PrometheusText, name: String, labels: String) {
        text.add(name, labels: labels, value: value.withLock { $0 })
    }
}

/// How many values fell into each bucket, their sum and their count.
final class HistogramSeries: TimerHandler, RecorderHandler, Series {
    let kind = MetricDescription.Kind.histogram
    private let bounds: [Double]
    private let state: Mutex<State>

    private struct State {
        /// Not cumulative; the last one is for what is beyond every bound.
        var counts: [Int64]
        var sum = 0.0
    }

    init(buckets: [Double]) {
        bounds = buckets
        state = Mutex(State(counts: Array(repeating: 0, count: buckets.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func write(to text: inout PrometheusText, name: String, labels: String) {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        let separator = labels.isEmpty ? "" : ","
        var total: Int64 = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? bounds[index] : .infinity
            text.add(
                name + "_bucket",
                labels: "\(labels)\(separator)le=\"\(PrometheusText.number(bound))\"",
                value: Double(total)
            )
        }
        text.add(name + "_sum", labels: labels, value: sum)
        text.add(name + "_count", labels: labels, value: Double(total))
    }
}
