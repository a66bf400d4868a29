import Crypto
import Foundation
import LeaseholdCore

/// What is sealed into a spool record: the raw reply, and all that is needed to save it without the
/// worker that got it; or a claim, which says that a token is about to be presented.
struct SpooledReply: Sendable {
    struct Facts: Codable, Sendable {
        var rung: String
        var grant: String
        var worker: UUID
        /// By the database's clock, when the intent was written.
        var startedAt: Date
        /// When the worker no longer waits for an answer.
        var deadline: Date
        /// Of the refresh token that the row held then; nil if it held none. A generation alone does
        /// not prove that the row is the same after a restore.
        var base: [UInt8]?
        var organization: String?
        var fingerprint: String?
        /// Nil for a claim.
        var status: Int?
        var contentType: String?
        var retryAfter: String?
        var complete: Bool
    }

    var facts: Facts
    var body: [UInt8]

    /// Length of the facts (4 bytes), the facts as JSON, the body as it came.
    func encoded() throws -> [UInt8] {
        let json = try JSONEncoder().encode(facts)
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt32(json.count))
        return bytes + Array(json) + body
    }

    init(facts: Facts, body: [UInt8]) {
        self.facts = facts
        self.body = body
    }

    init(decoding bytes: [UInt8]) throws {
        guard bytes.count >= 4, case let length = Int(bytes.littleEndian(UInt32.self, at: 0)), bytes.count >= 4 + length
        else { throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "too short")) }
        facts = try JSONDecoder().decode(Facts.self, from: Data(bytes[4..<4 + length]))
        body = Array(bytes[(4 + length)...])
    }

    var reply: TokenEndpointReply {
        guard let status = facts.status else { return .noReply(reason: "claim") }
        return .answered(
            status: status,
            contentType: facts.contentType,
            retryAfter: facts.retryAfter,
            body: body,
            complete: facts.complete
        )
    }

    /// Identifies a refresh token inside a sealed record.
    static func base(of token: Secret?) -> [UInt8]? {
        token.map { Array(SHA256.hash(data: Data($0.reveal().utf8))) }
    }
}
