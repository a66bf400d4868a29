import Foundation
import LeaseholdCore
import Postgres
import SQLFiles

/// What `leasehold top` shows at one moment, read from the views of `leasehold_dashboard`.
struct TopSnapshot: Decodable, Sendable, Equatable {
    /// Jobs of all queues or of one.
    struct Jobs: Decodable, Sendable, Equatable {
        var ready: Int64
        var running: Int64
        var scheduled: Int64
        var parked: Int64
        /// Names of the four counts that are estimates.
        var estimated: [String]
        var oldestReadySeconds: Double?
        var completedPerSecond: Double
    }

    struct Overview: Sendable, Equatable {
        var jobs: Jobs
        var service: Service
    }

    struct Service: Decodable, Sendable, Equatable {
        var discardedPerSecond: Double
        var workers: Int64
        var workerPlaces: Int64
        var workersSilent: Int64
        var tokensNeedingAuthorization: Int64
        var tokensTroubled: Int64
        var providersClosed: Int64
    }

    struct Queue: Sendable, Equatable {
        var jobs: Jobs
        var facts: QueueFacts
    }

    struct QueueFacts: Decodable, Sendable, Equatable {
        var queue: String
        var pausedAt: String?
        var tenantsWaiting: Int64
        var workers: Int64
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

// The views give one row each, whose columns are the members of one object.

extension TopSnapshot.Overview: Decodable {
    init(from decoder: any Decoder) throws {
        self.init(jobs: try TopSnapshot.Jobs(from: decoder), service: try TopSnapshot.Service(from: decoder))
    }
}

extension TopSnapshot.Queue: Decodable {
    init(from decoder: any Decoder) throws {
        self.init(jobs: try TopSnapshot.Jobs(from: decoder), facts: try TopSnapshot.QueueFacts(from: decoder))
    }
}
