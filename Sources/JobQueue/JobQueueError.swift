import LeaseholdCore
package import Postgres

/// A request that the queue refused. Raised by functions of the schema `leasehold` with SQLSTATEs of
/// class `LH`; their texts hold names, never values.
package struct JobQueueError: ExplainedError, Equatable {
    package enum Code: String, Sendable {
        case unknownTenant = "LH001"
        case invalidRequest = "LH002"
        /// The worker is unknown or has lapsed: it must register under a new id.
        case workerLapsed = "LH003"
        case unknownJob = "LH004"
        case uniqueKeyTaken = "LH005"
        case unknownSchedule = "LH006"
    }

    package let code: Code
    package let message: String
    package let hint: String?

    package var label: String {
        switch code {
        case .unknownTenant: "unknown_tenant"
        case .invalidRequest: "invalid_request"
        case .workerLapsed: "worker_lapsed"
        case .unknownJob: "unknown_job"
        case .uniqueKeyTaken: "unique_key_taken"
        case .unknownSchedule: "unknown_schedule"
        }
    }

    init(code: Code, message: String, hint: String?) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    /// Nil unless `error` is one that a function of the queue raised.
    package init?(_ error: PostgresError) {
        guard let code = error.sqlState.flatMap(Code.init(rawValue:)) else { return nil }
        self.init(code: code, message: error.message, hint: error.hint)
    }
}

/// Runs `body`, turning refusals of the queue into ``JobQueueError``.
@discardableResult
func explained<R>(_ body: () async throws -> R) async throws -> R {
    do {
        return try await body()
    } catch let error as PostgresError {
        throw JobQueueError(error) ?? error
    }
}
