package import JobQueue
package import LeaseholdCore
package import Logging

/// What a sync job is given by whoever runs it; this module knows no runtime.
package struct SyncContext: Sendable {
    package let tenant: TenantID
    package let job: JobID
    /// The claim: fences everything the job writes.
    package let run: RunID
    /// A JSON object.
    package let args: String
    /// Stores a JSON object where people look at the job; false once the claim is lost.
    package let saveProgress: @Sendable (_ json: String) async throws -> Void
    /// Carries tenant, job and kind.
    package let logger: Logger

    /// - Parameter logger: one that carries tenant, job and kind.
    package init(
        _ job: ClaimedJob,
        logger: Logger,
        saveProgress: @escaping @Sendable (_ json: String) async throws -> Void
    ) {
        self.init(
            tenant: job.tenant,
            job: job.id,
            run: job.run,
            args: job.args,
            logger: logger,
            saveProgress: saveProgress
        )
    }

    package init(
        tenant: TenantID,
        job: JobID,
        run: RunID,
        args: String,
        logger: Logger,
        saveProgress: @escaping @Sendable (_ json: String) async throws -> Void = { _ in }
    ) {
        self.tenant = tenant
        self.job = job
        self.run = run
        self.args = args
        self.logger = logger
        self.saveProgress = saveProgress
    }
}
