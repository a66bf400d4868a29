import LeaseholdCore
import Postgres
import SQLFiles
import Testing

/// A downstream service that keeps a copy of one mirror, in tables of its own, by following
/// `leasehold.mirror_changes`. It applies a batch and notes its position in one transaction, and its
/// connection may die anywhere in it.
struct ChangeConsumer: Sendable {
    let pool: PostgresPool
    let tenant: TenantID
    let table: String
    let random: RandomSource

    func prepare() async throws {
        try await pool.withConnection { connection in
            try await connection.run(
                script: """
                    create table consumer_record (record_id text collate "C" primary key, fields jsonb, labels jsonb);
                    create table consumer_position (position bigint not null);
                    insert into consumer_position values (0);
                    """
            )
        }
    }

    /// Until nothing is left to apply.
    ///
    /// - Returns: how often it was killed and how often it had come too late and copied the mirror.
    func catchUp() async throws -> (kills: Int, copies: Int) {
        var (kills, copies) = (0, 0)
        while true {
            do {
                if try await step() == 0 { return (kills, copies) }
            } catch let error as PostgresError where error.sqlState == "22023" {
                try await copy()
                copies += 1
            } catch let error as PostgresError where error.isConnectionLost {
                kills += 1
            }
        }
    }

    /// - Returns: how many changes were applied.
    private func step() async throws -> Int {
        let limit = Int32(1 + random.next() % 40)
        let deathAfter = random.next() % 3 == 0 ? random.next() % 3 : nil
        return try await pool.withTransaction { connection in
            let row = try await connection.query(
                sql: """
                    create temporary table batch on commit drop as
                    select changes.* from consumer_position, leasehold.mirror_changes($1, $2, position, $3) as changes
                    """,
                tenant.rawValue,
                table,
                limit
            )
            if deathAfter == 0 { try await die(connection) }
            // Of several changes of one record in a batch, each shows the record as it is now.
            try await connection.query(
                sql: "delete from consumer_record using batch where consumer_record.record_id = batch.record_id"
            )
            try await connection.query(
                sql: """
                    insert into consumer_record
                    select distinct record_id, fields, labels from batch where fields is not null
                    """
            )
            if deathAfter == 1 { try await die(connection) }
            try await connection.query(
                sql: """
                    update consumer_position set position = batch.last
                    from (select max(position) as last, count(*) as size from batch) as batch
                    where batch.size > 0 and batch.last = consumer_position.position + batch.size
                    """
            )
            let gap = try await connection.query(
                sql: "select 1 from batch where position > (select position from consumer_position)"
            )
            #expect(gap.isEmpty, "the positions of a batch have gaps")
            if deathAfter == 2 { try await die(connection) }
            return row.affectedRows
        }
    }

    /// What the hint of the refusal says: position and records, read at one moment.
    private func copy() async throws {
        try await pool.withTransaction(.init(isolation: .repeatableRead)) { connection in
            try await connection.query(sql: "delete from consumer_record")
            try await connection.query(
                sql: """
                    insert into consumer_record
                    select record_id, fields, labels from leasehold.mirror_record where tenant_id = $1 and table_id = $2
                    """,
                tenant.rawValue,
                table
            )
            try await connection.query(
                sql: """
                    update consumer_position set position = last_position
                    from leasehold.mirror_table where tenant_id = $1 and table_id = $2
                    """,
                tenant.rawValue,
                table
            )
        }
    }

    private func die(_ connection: PostgresConnection) async throws {
        try await connection.query(sql: "select pg_terminate_backend(pg_backend_pid())")
    }

    /// Records that are in only one of the two, or differ.
    func differences() async throws -> Int {
        try await pool.withConnection { connection in
            try await connection.query(
                sql: """
                    select count(*) from consumer_record
                    full join (select * from leasehold.mirror_record where tenant_id = $1 and table_id = $2) as mirror
                        using (record_id)
                    where (consumer_record.fields, consumer_record.labels) is distinct from (mirror.fields, mirror.labels)
                    """,
                tenant.rawValue,
                table
            ).only.decode(0, as: Int.self)
        }
    }
}
