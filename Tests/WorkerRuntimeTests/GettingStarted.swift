import Leasehold
import Logging
import ServiceLifecycle
import UnixSignals

/// Args travel as JSON; other services write them in SQL.
struct Mail: Codable {
    var to: String
    var subject: String
}

func mailRegistry(send: @escaping @Sendable (Mail) async throws -> Void) throws -> JobRegistry {
    var registry = JobRegistry()
    let options = JobKindOptions(timeout: .seconds(30), concurrency: 4)
    try registry.register(JobKind("mail.send"), args: Mail.self, options: options) { mail, context in
        if mail.to.isEmpty { return .discard(reason: "no address") }
        context.logger.info("sending")
        // A thrown error means: try again, after the delay of the kind's retry policy.
        try await send(mail)
        return .completed
    }
    return registry
}

func runMailWorker(
    database: LeaseholdDatabase,
    logger: Logger,
    send: @escaping @Sendable (Mail) async throws -> Void
) async throws {
    let worker = try LeaseholdWorker(
        database: database,
        registry: mailRegistry(send: send),
        options: LeaseholdWorkerOptions(slots: 20),
        logger: logger
    )
    let group = ServiceGroup(
        services: [worker],
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: logger
    )
    try await group.run()
}

func enqueueMail(_ mail: Mail, for tenant: TenantID, with client: LeaseholdClient) async throws -> JobID {
    var request = try JobRequest(tenant: tenant, kind: JobKind("mail.send"), encoding: mail)
    // A second request with the same key answers with the first one's job.
    request.idempotencyKey = "welcome-\(mail.to)"
    return try await client.enqueue(request).id
}
