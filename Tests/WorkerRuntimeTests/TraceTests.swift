import InMemoryTracing
import JobQueue
import LeaseholdCore
import TestSupport
import Testing
import Tracing

@testable import WorkerRuntime

/// A tracer is the process's own for good, so that this runs in a process apart.
@Suite(.timeLimit(.minutes(2))) struct TraceTests {
    @Test func anEnqueueAndTheRunsOfItsJobsAreOneTrace() async {
        await #expect(processExitsWith: .success) {
            let tracer = TraceParentTracer()
            InstrumentationSystem.bootstrap(tracer)
            var make = WorkerMake()
            try make.on("traced") { _ in
                // What a handler itself traces belongs to the run.
                withSpan("inside") { _ in }
                return .completed
            }
            let job = try await withWorker(make) { bench in
                try await bench.settled(try await bench.enqueue("traced"))
            }
            let spans = tracer.memory.finishedSpans
            let sent = try #require(spans.first { $0.operationName == "job enqueue" })
            let ran = try #require(spans.first { $0.operationName == "job run" })
            let inside = try #require(spans.first { $0.operationName == "inside" })
            #expect(job.traceContext == "00-\(sent.spanContext.traceID)-\(sent.spanContext.spanID)-01")
            #expect(ran.spanContext.traceID == sent.spanContext.traceID)
            #expect(ran.spanContext.parentSpanID == sent.spanContext.spanID)
            #expect(inside.spanContext.parentSpanID == ran.spanContext.spanID)
            #expect(sent.kind == .producer && ran.kind == .consumer)
            #expect(ran.attributes.get("leasehold.tenant") == SpanAttribute.string(WorkerBench.tenant.rawValue))
        }
    }
}
