import ServiceLifecycle
package import UnixSignals

/// Skips the drain at the second signal: an operator who presses Ctrl-C twice, or a supervisor that
/// asks twice, does not want to wait. The first one is the service group's own.
///
/// List it before the worker, so that it is stopped after it.
package struct SecondSignal: Service {
    private let worker: Worker
    private let signals: [UnixSignal]
    private let heard: TestSignal<Int>?

    /// - Parameter heard: where a test waits for the number of signals heard; 0 when listening begins.
    package init(
        for worker: Worker,
        signals: [UnixSignal] = [.sigterm, .sigint],
        heard: TestSignal<Int>? = nil
    ) {
        self.worker = worker
        self.signals = signals
        self.heard = heard
    }

    package func run() async throws {
        let sequence = await UnixSignalsSequence(trapping: signals)
        var count = 0
        heard?.give(count)
        for await _ in sequence.cancelOnGracefulShutdown() {
            count += 1
            if count >= 2 { worker.skipDrain() }
            heard?.give(count)
        }
    }
}
