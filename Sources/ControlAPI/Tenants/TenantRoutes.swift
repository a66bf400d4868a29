import Hummingbird
import JobQueue
import LeaseholdCore
import Postgres
import SQLFiles

/// Add, change, look at, pause and resume tenants.
struct TenantRoutes: Sendable {
    let pool: PostgresPool
    let tenants: TenantStore

    var routes: [Route] {
        [
            Route(.get, "/v1/tenants/{tenant}", .key(.tenantsRead)) { request in
                try await show(try request.tenant())
            },
            Route(.put, "/v1/tenants/{tenant}", .key(.tenantsWrite), put),
            Route(.post, "/v1/tenants/{tenant}/pause", .key(.tenantsWrite)) { request in
                try await setPaused(true, request)
            },
            Route(.post, "/v1/tenants/{tenant}/resume", .key(.tenantsWrite)) { request in
                try await setPaused(false, request)
            },
        ]
    }

    @Sendable private func put(_ request: ControlRequest) async throws -> Response {
        let tenant = try request.tenant()
        let (body, text) = try await request.json(TenantBody.self)
        let added = try await pool.query(
            as: request.source(.api),
            .tenantPut,
            tenant.rawValue,
            body.name,
            body.weight.map { Float($0) },
            body.maxRunning,
            body.ratePerSecond.map { Float($0) },
            body.rateBurst,
            body.hasSettings ? PostgresJSON(text) : nil,
            body.cleared
        ).only.decode("added", as: Bool.self)
        return try await show(tenant, isNew: added)
    }

    @Sendable private func setPaused(_ isPaused: Bool, _ request: ControlRequest) async throws -> Response {
        let tenant = try request.tenant()
        try await tenants.acting(as: request.source(.api)).setPaused(isPaused, tenant)
        return try await show(tenant)
    }

    @Sendable private func show(_ tenant: TenantID, isNew: Bool = false) async throws -> Response {
        let (record, load) = try await tenants.show(tenant)
        var object = JSONObjectText()
        object.set("id", record.id.rawValue)
        object.set("name", record.name)
        object.set("state", record.state)
        object.set("weight", Double(record.weight))
        object.set("max_running", record.maxRunning)
        object.set("rate_per_second", load.ratePerSecond.map { Double($0) })
        object.set("rate_burst", load.rateBurst)
        object.set("settings", json: load.settings)
        object.set("running", load.running)
        object.set("parked", load.parked)
        object.set("created_at", record.createdAt)
        object.set("credential", json: credential(record))
        return .json(object.text, status: isNew ? .created : .ok)
    }

    private func credential(_ record: TenantRecord) -> String {
        guard let state = record.credentialState else { return "null" }
        var object = JSONObjectText()
        object.set("state", state)
        object.set("generation", json: String(record.generation ?? 0))
        object.set("access_expires_at", record.accessExpiresAt)
        return object.text
    }
}

/// What `PUT /v1/tenants/{tenant}` takes: members left out stay as they are, a null takes a limit away.
struct TenantBody: Decodable {
    let name: String?
    let weight: Double?
    let maxRunning: Int32?
    let ratePerSecond: Double?
    let rateBurst: Int32?
    /// The settings themselves are read by the database.
    let hasSettings: Bool
    /// Limits that are null.
    let cleared: [String]

    private static let limits = ["max_running", "rate_per_second", "rate_burst"]
    private static let names = ["name", "weight", "settings"] + limits

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: AnyKey.self)
        for key in members.allKeys where !Self.names.contains(key.stringValue) {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [key], debugDescription: "to be one of \(Self.names.joined(separator: ", "))")
            )
        }
        func value<V: Decodable>(
            _ name: String,
            _ type: V.Type,
            _ isValid: (V) -> Bool,
            _ expected: String
        ) throws -> V? {
            guard members.contains(AnyKey(name)) else { return nil }
            if Self.limits.contains(name), try members.decodeNil(forKey: AnyKey(name)) { return nil }
            let value = try members.decode(type, forKey: AnyKey(name))
            guard isValid(value) else {
                throw DecodingError.dataCorrupted(.init(codingPath: [AnyKey(name)], debugDescription: expected))
            }
            return value
        }
        name = try value(
            "name",
            String.self,
            { $0.unicodeScalars.count <= 500 && !$0.contains("\0") },
            "to be at most 500 characters"
        )
        weight = try value("weight", Double.self, { (0.01...1000).contains($0) }, "to be from 0.01 to 1000")
        maxRunning = try value("max_running", Int32.self, { $0 > 0 }, "to be 1 or more")
        ratePerSecond = try value(
            "rate_per_second",
            Double.self,
            { (0.000_001...1_000_000).contains($0) },
            "to be more than 0"
        )
        rateBurst = try value("rate_burst", Int32.self, { $0 > 0 }, "to be 1 or more")
        hasSettings = members.contains(AnyKey("settings"))
        if hasSettings { _ = try members.nestedContainer(keyedBy: AnyKey.self, forKey: AnyKey("settings")) }
        cleared = try Self.limits.filter { try members.contains(AnyKey($0)) && members.decodeNil(forKey: AnyKey($0)) }
    }
}
