import Foundation
import LeaseholdCore
import Postgres
import SQLFiles

/// What `leasehold top` shows at one moment, read from the views of `leasehold_dashboard`.
struct TopSnapshot: Decodable, Sendable, Equatable {
    struct Overview: Decodable, Sendable, Equatable {
        var ready: Int64
        var running: Int64
        var scheduled: Int64
        var parked: Int64
        /// Names of the four counts that are estimates.
        var estimated: [String]
        var oldestReadySeconds: Double?
        var completedPerSecond: Double
        var discardedPerSecond: Double
        var workers: Int64
        var workerPlaces: Int64
        var workersSilent: Int64
        var tokensNeedingAuthorization: Int64
        var tokensTroubled: Int64
        var providersClosed: Int64
    }

    struct Queue: Decodable, Sendable, Equatable {
        var queue: String
        var pausedAt: String?
        var ready: Int64
        var running: Int64
        var scheduled: Int64
        var parked: Int64
        var estimated: [String]
        var oldestReadySeconds: Double?
        var tenantsWaiting: Int64
        var workers: Int64
        var completedPerSecond: Double
    }

    struct Tenant: Decodable, Sendable, Equatable {
        var tenantId: String
        var name: String?
        var ready: Int64
        var isEstimate: Bool
        var oldestReadySeconds: Double?
        var weight: Double?
        var laneStates: [String]?
    }

    struct Worker: Decodable, Sendable, Equatable {
        var name: String
        var host: String
        var state: String
        var running: Int64
        var concurrency: Int64
        var heartbeatSeconds: Double
        var queues: [String]
    }

    struct JobError: Decodable, Sendable, Equatable {
        var kind: String?
        var errorLabel: String?
        var error: String?
        var attempts: Int64
        var attemptsIsMinimum: Bool
        var tenants: Int64
    }

    var overview: Overview
    var queues: [Queue]
    var tenants: [Tenant]
    var workers: [Worker]
    var errors: [JobError]

    /// - Returns: the snapshot as the database wrote it, a JSON object.
    static func readText(_ pool: PostgresPool, rows: Int) async throws -> String {
        try await pool.query(.topRead, Int32(rows)).only.decode("snapshot", as: PostgresJSON.self).text
    }

    static func parse(_ text: String) throws -> TopSnapshot {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(TopSnapshot.self, from: Data(text.utf8))
    }
}
