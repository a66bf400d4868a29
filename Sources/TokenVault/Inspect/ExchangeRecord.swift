package import Foundation
import Postgres

/// One line of the exchange log.
package struct ExchangeRecord: Sendable, Equatable, Encodable {
    package let generation: Int64
    package let rung: String
    package let grant: String
    package let startedAt: Date
    package let endedAt: Date
    package let outcome: String
    package let errorClass: String?
    package let httpStatus: Int?
    /// Equal for two presentations of one token.
    package let fingerprint: String?

    init(_ row: PostgresRow) throws {
        generation = try row.decode("generation")
        rung = try row.decode("rung")
        grant = try row.decode("grant_kind")
        startedAt = try row.decode("started_at")
        endedAt = try row.decode("ended_at")
        outcome = try row.decode("outcome")
        errorClass = try row.decode("error_class")
        httpStatus = try row.decode("http_status", as: Int32?.self).map { Int($0) }
        fingerprint = try row.decode("fingerprint")
    }
}

extension ExchangeRecord {
    /// The columns of `leasehold.credential_exchange`.
    private enum CodingKeys: String, CodingKey {
        case generation
        case rung
        case grant = "grant_kind"
        case startedAt = "started_at"
        case endedAt = "ended_at"
        case outcome
        case errorClass = "error_class"
        case httpStatus = "http_status"
        case fingerprint
    }

    /// Every member is there, `null` where there is nothing to say.
    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(generation, forKey: .generation)
        try members.encode(rung, forKey: .rung)
        try members.encode(grant, forKey: .grant)
        try members.encode(startedAt, forKey: .startedAt)
        try members.encode(endedAt, forKey: .endedAt)
        try members.encode(outcome, forKey: .outcome)
        try members.encode(errorClass, forKey: .errorClass)
        try members.encode(httpStatus, forKey: .httpStatus)
        try members.encode(fingerprint, forKey: .fingerprint)
    }
}
