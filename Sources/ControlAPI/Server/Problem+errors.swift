import Hummingbird
import JobQueue
import LeaseholdCore
import NIOCore
import Postgres
import TokenVault

extension Problem {
    /// What any error means to the client. Texts of foreign errors are not shown: nothing is known
    /// about what they hold.
    init(_ error: any Error) {
        switch error {
        case let error as Problem: self = error
        case let error as JobQueueError: self.init(queue: error)
        case let error as UnknownTenant: self.init(.notFound, error)
        case let error as InvalidName: self.init(.badRequest, error)
        case let error as VaultError: self = Self.vault(error)
        case let error as PostgresError: self = Self.database(error)
        case is NIOTooManyBytesError: self.init(.contentTooLarge, "body_too_large", "expected a smaller body")
        case let error as any HTTPResponseError:
            self.init(error.status, "http_\(error.status.code)", error.status.reasonPhrase)
        case is CancellationError:
            self = Problem(.serviceUnavailable, "shutting_down", "the server is stopping").retry(after: .seconds(1))
        default:
            self.init(.internalServerError, "internal_error", "something went wrong here; the log has it by request_id")
        }
    }

    private init(queue error: JobQueueError) {
        switch error.code {
        case .unknownJob, .unknownSchedule: self.init(.notFound, error)
        case .uniqueKeyTaken: self.init(.conflict, error)
        case .unknownTenant, .invalidRequest: self.init(.unprocessableContent, error)
        case .workerLapsed: self.init(.internalServerError, error)
        }
    }

    private static func vault(_ error: VaultError) -> Problem {
        switch error.reason {
        case .needsAuthorization, .noCredential: Problem(.conflict, error)
        case .noTenant: Problem(.notFound, error)
        case .connectRefused: Problem(.unprocessableContent, error)
        case .connectUnknown: Problem(.badGateway, error)
        case .temporarilyUnavailable(let delay): Problem(.serviceUnavailable, error).retry(after: delay)
        }
    }

    /// A database that is away is not the client's fault, a value it cannot hold is.
    private static func database(_ error: PostgresError) -> Problem {
        if let state = error.sqlState, state.hasPrefix("22") || state.hasPrefix("23") {
            return Problem(.unprocessableContent, error)
        }
        if error.isConnectionLost || error.isRetryable || error.isServer(.queryCanceled)
            || error.isServer(.lockNotAvailable) || error.code == .poolExhausted || error.code == .poolClosed
        {
            // Its text names hosts and users of the database.
            return Problem(.serviceUnavailable, error.label, "expected the database to answer, got \(error.label)")
                .retry(after: .seconds(2))
        }
        return Problem(.internalServerError, error.label, "something went wrong here; the log has it by request_id")
    }
}
