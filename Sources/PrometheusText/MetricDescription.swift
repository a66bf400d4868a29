/// What a metric means: its help text, and what it is a number of.
///
/// The label that code measures under is the name without the program's prefix and without `_total`:
/// `job_claimed` is shown as `leasehold_job_claimed_total`.
package struct MetricDescription: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case counter
        case gauge
        /// A duration or a size, in buckets.
        case histogram
    }

    package let label: String
    package let kind: Kind
    /// One sentence, without the name's own words.
    package let help: String
    /// `seconds`, `bytes`, or nil for a plain count. The label ends with it (before `_total`).
    package let unit: String?
    /// Upper bounds of a histogram's buckets, rising.
    package let buckets: [Double]

    package static func counter(_ label: String, unit: String? = nil, _ help: String) -> MetricDescription {
        MetricDescription(label: label, kind: .counter, help: help, unit: unit, buckets: [])
    }

    package static func gauge(_ label: String, unit: String? = nil, _ help: String) -> MetricDescription {
        MetricDescription(label: label, kind: .gauge, help: help, unit: unit, buckets: [])
    }

    /// - Parameter buckets: default: a millisecond to five minutes.
    package static func seconds(
        _ label: String,
        _ help: String,
        buckets: [Double] = MetricDescription.latencies
    ) -> MetricDescription {
        MetricDescription(label: label, kind: .histogram, help: help, unit: "seconds", buckets: buckets)
    }

    package static func histogram(
        _ label: String,
        unit: String? = nil,
        buckets: [Double],
        _ help: String
    ) -> MetricDescription {
        MetricDescription(label: label, kind: .histogram, help: help, unit: unit, buckets: buckets)
    }

    package static let latencies: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
    ]
    /// For waits in a queue: 10 ms to a day.
    package static let waits: [Double] = [
        0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400,
    ]
}
