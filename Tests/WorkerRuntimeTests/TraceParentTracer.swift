import InMemoryTracing
import Synchronization
import Tracing

/// Keeps spans in memory, and carries their context as the `traceparent` of W3C Trace Context section 3.2.
struct TraceParentTracer: Tracer {
    private static let key = "traceparent"

    let memory: InMemoryTracer

    init() {
        let (traces, spans) = (Counting(), Counting())
        memory = InMemoryTracer(
            idGenerator: InMemoryTracer.IDGenerator(
                nextTraceID: { traces.next(digits: 32) },
                nextSpanID: { spans.next(digits: 16) }
            )
        )
    }

    func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> InMemorySpan {
        memory.startSpan(
            operationName,
            context: context(),
            ofKind: kind,
            at: instant(),
            function: function,
            file: fileID,
            line: line
        )
    }

    func forceFlush() { memory.forceFlush() }

    func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext,
        into carrier: inout Carrier,
        using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let span = context.inMemorySpanContext else { return }
        injector.inject("00-\(span.traceID)-\(span.spanID)-01", forKey: Self.key, into: &carrier)
    }

    func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier,
        into context: inout ServiceContext,
        using extractor: Extract
    ) where Extract.Carrier == Carrier {
        let parts = extractor.extract(key: Self.key, from: carrier)?.split(separator: "-").map(String.init) ?? []
        guard parts.count == 4 else { return }
        context.inMemorySpanContext = InMemorySpanContext(traceID: parts[1], spanID: parts[2], parentSpanID: nil)
    }

    private final class Counting: Sendable {
        private let last = Mutex(0)

        func next(digits: Int) -> String {
            let number = last.withLock { last in
                last += 1
                return last
            }
            let text = String(number, radix: 16)
            return String(repeating: "0", count: digits - text.count) + text
        }
    }
}
