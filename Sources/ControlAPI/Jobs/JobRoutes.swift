import Foundation
import HTTPTypes
import Hummingbird
import JobQueue
import LeaseholdCore
import Postgres

/// Enqueue, look at, cancel, retry and reschedule jobs.
struct JobRoutes: Sendable {
    /// Jobs of one request; more are sent in several.
    static let batchLimit = 1000

    let queue: JobQueue

    var routes: [Route] {
        [
            Route(.post, "/v1/jobs", .key(.jobsWrite), enqueue),
            Route(.get, "/v1/jobs/{job}", .key(.jobsRead)) { request in
                .json(JobDocument.text(try await record(request)))
            },
            Route(.post, "/v1/jobs/{job}/cancel", .key(.jobsWrite), cancel),
            Route(.post, "/v1/jobs/{job}/retry", .key(.jobsWrite), retry),
            Route(.post, "/v1/jobs/{job}/reschedule", .key(.jobsWrite), reschedule),
        ]
    }

    /// The job of the path, if the caller may see it.
    ///
    /// - Throws: ``Problem`` 404 also for a job of another tenant than the caller's.
    @Sendable private func record(_ request: ControlRequest) async throws -> JobRecord {
        let job = try request.job()
        let record = try await queue.show(job)
        if let bound = request.caller?.tenant, bound != record.summary.tenant {
            throw Problem(
                .notFound,
                "unknown_job",
                "expected the id of a job, got \(job)"
            )
        }
        return record
    }

    @Sendable private func enqueue(_ request: ControlRequest) async throws -> Response {
        let (body, text) = try await request.json(EnqueueBody.self)
        let bound = request.caller?.tenant
        for (index, job) in body.jobs.enumerated() where bound != nil && job.tenant != bound?.rawValue {
            throw Problem(
                .forbidden,
                "tenant_not_allowed",
                "expected job \(index + 1) to be of the tenant that the key is bound to, got \"\(job.tenant.prefix(128))\""
            )
        }
        let enqueued: [EnqueuedJob]
        do {
            enqueued = try await queue.enqueue(
                json: text,
                count: body.jobs.count,
                tenant: bound,
                idempotencyKey: try Self.idempotencyKey(request),
                traceContext: request.header(.traceParent).flatMap(TraceParent.init)?.text
            )
        } catch let error as JobQueueError where error.code == .unknownJob {
            // Of "after": not what the path names.
            throw Problem(.unprocessableContent, error)
        }
        let answers = enqueued.map { job -> String in
            var object = JSONObjectText()
            object.set("id", json: job.id.description)
            object.set("existing", json: String(job.wasExisting))
            return object.text
        }
        let status: HTTPResponse.Status = enqueued.contains { !$0.wasExisting } ? .created : .ok
        if body.isBatch { return .json("{\"jobs\":[\(answers.joined(separator: ","))]}", status: status) }
        var response = Response.json(answers[0], status: status)
        response.headers[.location] = "/v1/jobs/\(enqueued[0].id)"
        return response
    }

    private static func idempotencyKey(_ request: ControlRequest) throws -> String? {
        guard let key = request.header(.idempotencyKey) else { return nil }
        guard (1...200).contains(key.utf8.count) else {
            throw Problem(
                .badRequest,
                "invalid_idempotency_key",
                "expected an Idempotency-Key of 1 to 200 bytes, got \(key.utf8.count)"
            )
        }
        return key
    }

    @Sendable private func cancel(_ request: ControlRequest) async throws -> Response {
        let job = try await record(request).summary.id
        let answer = try await queue.acting(as: request.source(.api)).cancel(
            job,
            reason: "cancelled by API key \(request.caller?.keyID ?? "")"
        )
        var object = JSONObjectText()
        object.set("id", json: job.description)
        object.set("result", answer.rawValue)
        return .json(object.text)
    }

    @Sendable private func retry(_ request: ControlRequest) async throws -> Response {
        let job = try await record(request).summary.id
        var object = JSONObjectText()
        object.set("id", json: job.description)
        object.set("state", try await queue.acting(as: request.source(.api)).retry(job).rawValue)
        return .json(object.text)
    }

    @Sendable private func reschedule(_ request: ControlRequest) async throws -> Response {
        let job = try await record(request).summary.id
        let (body, _) = try await request.json(RescheduleBody.self)
        let answer = try await queue.acting(as: request.source(.api)).reschedule(job, to: body.runAt)
        var object = JSONObjectText()
        object.set("id", json: job.description)
        object.set("result", answer.rawValue)
        return .json(object.text)
    }
}
