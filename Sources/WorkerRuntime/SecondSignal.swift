import ServiceLifecycle
package import UnixSignals

/// Skips the drain at the second signal: an operator who presses Ctrl-C twice, or a supervisor that
/// asks twice, does not want to wait. The first one is the service group's own.
///
/// List it before the worker, so that it is stopped after it.
package struct SecondSignal: Service {
    private let worker: Worker
    private let signals: [UnixSignal]

    package init(for worker: Worker, signals: [UnixSignal] = [.sigterm, .sigint]) {
        self.worker = worker
        self.signals = signals
    }

    package func run() async throws {
        var count = 0
        for await _ in await UnixSignalsSequence(trapping: signals).cancelOnGracefulShutdown() {
            count += 1
            if count >= 2 { worker.skipDrain() }
        }
    }
}
