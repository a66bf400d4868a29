import Metrics
import PrometheusText
import Synchronization

/// Where everything that the process measures goes.
enum Metering {
    private static let registry = PrometheusRegistry(prefix: "leasehold", catalog: MetricCatalog.all)
    private static let isStarted = Mutex(false)

    /// From the first call on, the process measures. Programs that nobody asks for metrics pay nothing.
    static func start() -> PrometheusRegistry {
        let isFirst = isStarted.withLock { started in
            defer { started = true }
            return !started
        }
        if isFirst { MetricsSystem.bootstrap(registry) }
        return registry
    }
}
