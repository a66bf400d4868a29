import LeaseholdCore
import Metrics

/// What this layer measures. Labels hold names only: of statements, never of values.
package enum PostgresMetrics {
    /// Name to help text, for whoever serves `/metrics`.
    package static let help: [String: String] = [
        "postgres_connections": "Connections of the pool by state: idle or leased",
        "postgres_wait_seconds": "How long a caller waited for a connection",
        "postgres_statement_seconds": "How long a statement took, by its name",
        "postgres_connects_total": "Attempts to connect, by outcome",
    ]

    static func statement(_ name: String, took duration: Duration) {
        Timer(label: "postgres_statement_seconds", dimensions: [("statement", name)]).record(duration: duration)
    }

    static func waited(_ duration: Duration) {
        Timer(label: "postgres_wait_seconds").record(duration: duration)
    }

    static func connected(outcome: String) {
        Counter(label: "postgres_connects_total", dimensions: [("outcome", outcome)]).increment()
    }

    static func connections(idle: Int, leased: Int) {
        Gauge(label: "postgres_connections", dimensions: [("state", "idle")]).record(idle)
        Gauge(label: "postgres_connections", dimensions: [("state", "leased")]).record(leased)
    }
}
