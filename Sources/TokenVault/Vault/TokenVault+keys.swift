package import Foundation
import LeaseholdCore
import Postgres
import SQLFiles

/// How much of what is stored a key seals.
package struct KeyStatus: Sendable, Equatable {
    package let id: String
    /// Cells of live credentials.
    package var cells: Int
    /// Archived refresh tokens.
    package var archived: Int
    /// Replies in the spools on this machine.
    package var spooled: Int
    /// Held by this process's key ring.
    package let isHeld: Bool
    /// New writes use it.
    package let isNewest: Bool
    /// A worker somewhere sealed with it in the last 25 hours, so a spool may need it.
    package let sealedRecently: Bool
    package let firstSeenAt: Date?
    package let retiredAt: Date?

    package var isInUse: Bool { cells + archived + spooled > 0 || sealedRecently }
}

extension TokenVault {
    /// Notes the ring's keys in the database, and refuses a ring that cannot open what is stored.
    func registerKeys() async throws {
        let ring = try await keys.keyRing()
        let rows = try await store.pool.query(.keyRegister, ring.identifiers, ring.keys.map(\.checkValue))
        for row in rows {
            let id = try row.decode("key_id", as: String.self)
            guard try row.decode("check_value", as: String.self) == ring.key(id)?.checkValue else {
                throw KeyUseError.otherMaterial(id)
            }
        }
        for status in try await keyStatus() where status.cells > 0 && !status.isHeld {
            throw KeyUseError.missing(status.id, cells: status.cells)
        }
    }

    /// Every key that is held, known or in use. Reads the whole credential table.
    package func keyStatus() async throws -> [KeyStatus] {
        let ring = try await keys.keyRing()
        let spooled = await spool.sealingKeys()
        var statuses = try await store.pool.query(.keyUse).map { row in
            let id = try row.decode("key_id", as: String.self)
            return KeyStatus(
                id: id,
                cells: Int(try row.decode("cells", as: Int64.self)),
                archived: Int(try row.decode("archived", as: Int64.self)),
                spooled: spooled[id] ?? 0,
                isHeld: ring.key(id) != nil,
                isNewest: ring.newest.id == id,
                sealedRecently: try row.decode("sealed_recently"),
                firstSeenAt: try row.decode("first_seen_at"),
                retiredAt: try row.decode("retired_at")
            )
        }
        for id in Set(ring.identifiers).union(spooled.keys).subtracting(statuses.map(\.id)).sorted() {
            statuses.append(
                KeyStatus(
                    id: id,
                    cells: 0,
                    archived: 0,
                    spooled: spooled[id] ?? 0,
                    isHeld: ring.key(id) != nil,
                    isNewest: ring.newest.id == id,
                    sealedRecently: false,
                    firstSeenAt: nil,
                    retiredAt: nil
                )
            )
        }
        return statuses
    }

    /// Seals everything anew that is not under the newest key: row by row under the row's lock, so
    /// that exchanges go on, and without touching a generation. May be repeated.
    ///
    /// - Returns: how many rows were sealed anew.
    @discardableResult
    package func rotateKeys() async throws -> Int {
        let sealer = try await currentSealer()
        try await registerKeys()
        var count = 0
        var tenant = ""
        while let next = try await resealRow(after: tenant, sealer) {
            tenant = next
            count += 1
        }
        var archive: Int64 = 0
        while let next = try await resealArchived(after: archive, sealer) {
            archive = next
            count += 1
        }
        return count
    }

    /// Marks a key as out of use, so that it can be taken out of the key ring.
    ///
    /// - Throws: ``KeyUseError`` while anything is sealed with it, spools included.
    package func retireKey(_ id: String) async throws {
        guard let status = try await keyStatus().first(where: { $0.id == id }) else { throw KeyUseError.unknown(id) }
        guard !status.isNewest else { throw KeyUseError.newest(id) }
        guard !status.isInUse else { throw KeyUseError.inUse(status) }
        try await store.pool.query(.keyRetire, id)
    }

    private func resealRow(after tenant: String, _ sealer: Sealer) async throws -> String? {
        try await store.pool.withTransaction { connection in
            guard let row = try await connection.query(.keyNextRow, sealer.ring.newest.id, tenant).first else {
                return nil
            }
            let text = try row.decode("tenant_id", as: String.self)
            let id = try TenantID(text)
            let generation = try row.decode("generation", as: Int64.self)
            let previous = try row.decode("previous_generation", as: Int64?.self) ?? 0
            func anew(_ name: String, _ column: Sealer.Place.Column, _ generation: Int64) throws -> [UInt8]? {
                let place = Sealer.Place(tenant: id, column: column, generation: generation)
                return try row.decode(name, as: [UInt8]?.self).map {
                    try sealer.seal(try sealer.open($0, at: place), at: place)
                }
            }
            try await connection.query(
                .keyReseal,
                text,
                generation,
                try anew("refresh_token", .refreshToken, generation),
                try anew("previous_refresh_token", .refreshToken, previous),
                try anew("access_token", .accessToken, generation)
            )
            return text
        }
    }

    private func resealArchived(after archive: Int64, _ sealer: Sealer) async throws -> Int64? {
        try await store.pool.withTransaction { connection in
            guard let row = try await connection.query(.keyNextArchived, sealer.ring.newest.id, archive).first else {
                return nil
            }
            let tenant = try row.decode("tenant_id", as: String.self)
            let id = try row.decode("archive_id", as: Int64.self)
            let place = Sealer.Place(
                tenant: try TenantID(tenant),
                column: .refreshToken,
                generation: try row.decode("generation")
            )
            let plain = try sealer.open(try row.decode("refresh_token"), at: place)
            try await connection.query(.keyResealArchived, tenant, id, try sealer.seal(plain, at: place))
            return id
        }
    }
}

/// A key ring that does not fit what is stored.
package struct KeyUseError: ExplainedError, Equatable {
    package let label: String
    package let message: String
    package let hint: String?

    static func otherMaterial(_ id: String) -> KeyUseError {
        KeyUseError(
            label: "key_differs",
            message: "expected key \"\(id)\" to be the one that other workers hold, got other material under that id",
            hint: "give every worker the same key ring"
        )
    }

    static func missing(_ id: String, cells: Int) -> KeyUseError {
        KeyUseError(
            label: "key_missing",
            message: "expected the key ring to hold key \"\(id)\", which seals \(cells) cells, got none of that id",
            hint: "put the key back into the key ring, then: leasehold keys rotate"
        )
    }

    static func unknown(_ id: String) -> KeyUseError {
        KeyUseError(
            label: "key_unknown",
            message: "expected a key that is held or in use, got \"\(id)\"",
            hint: "leasehold keys status"
        )
    }

    static func newest(_ id: String) -> KeyUseError {
        KeyUseError(
            label: "key_newest",
            message: "expected an old key, got \"\(id)\", which seals every new write",
            hint: "put a new key before it: leasehold keys new"
        )
    }

    static func inUse(_ status: KeyStatus) -> KeyUseError {
        let recently = status.sealedRecently ? ", and workers sealed with it in the last 25 hours" : ""
        return KeyUseError(
            label: "key_in_use",
            message: "expected nothing to be sealed with key \"\(status.id)\", got \(status.cells) cells, "
                + "\(status.archived) archived tokens, \(status.spooled) spooled replies\(recently)",
            hint: status.cells + status.archived > 0
                ? "leasehold keys rotate" : "wait until the spools have let go of it (24 hours)"
        )
    }
}
