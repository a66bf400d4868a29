import LeaseholdCore
import Tracing

/// Joins what enqueues a job and what runs it into one trace, over the job's `trace_context`.
///
/// Without a tracer in the process, an enqueue costs one look at whether there is one, and a run
/// the same.
package enum JobTrace {
    private static let header = "traceparent"

    /// False in a process that bootstrapped no tracer.
    package static var isOn: Bool { !(InstrumentationSystem.tracer is NoOpTracer) }

    /// Runs `body` in a span of the job's trace.
    package static func run<R>(_ job: ClaimedJob, _ body: () async throws -> R) async throws -> R {
        guard isOn else { return try await body() }
        return try await withSpan("job run", context: context(of: job), ofKind: .consumer) { span in
            span.updateAttributes { attributes in
                attributes["messaging.system"] = "leasehold"
                attributes["messaging.operation.type"] = "process"
                attributes["messaging.destination.name"] = job.queue.rawValue
                attributes["messaging.message.id"] = job.id.description
                attributes["leasehold.kind"] = job.kind.rawValue
                attributes["leasehold.tenant"] = job.tenant.rawValue
                attributes["leasehold.attempt"] = job.attempt
                attributes["leasehold.waited_seconds"] = job.waited.seconds
            }
            return try await body()
        }
    }

    /// Runs `body` in a span of whoever enqueues, with the text that the jobs carry.
    static func enqueue<R>(_ count: Int, _ body: (String?) async throws -> R) async throws -> R {
        guard isOn else { return try await body(nil) }
        return try await withSpan("job enqueue", ofKind: .producer) { span in
            span.attributes["messaging.system"] = "leasehold"
            span.attributes["messaging.operation.type"] = "send"
            span.attributes["messaging.batch.message_count"] = count
            return try await body(text(of: span.context))
        }
    }

    /// The `traceparent` of a context; nil if the tracer writes none.
    static func text(of context: ServiceContext) -> String? {
        var carrier: [String: String] = [:]
        InstrumentationSystem.instrument.inject(context, into: &carrier, using: Carrier())
        return carrier[header]
    }

    /// The trace that a job carries, or none.
    static func context(of job: ClaimedJob) -> ServiceContext {
        var context = ServiceContext.topLevel
        if let text = job.traceContext {
            InstrumentationSystem.instrument.extract([header: text], into: &context, using: Carrier())
        }
        return context
    }

    private struct Carrier: Injector, Extractor {
        func inject(_ value: String, forKey key: String, into carrier: inout [String: String]) { carrier[key] = value }

        func extract(key: String, from carrier: [String: String]) -> String? { carrier[key] }
    }
}
