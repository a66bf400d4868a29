import Foundation
import LeaseholdCore
import Postgres

/// Shows the demo's progress: one line that changes on a terminal, a line every few seconds elsewhere.
struct DemoScreen {
    private let isTerminal = isatty(STDOUT_FILENO) == 1
    private let started = ContinuousClock().now
    private var lastLine: Duration = .seconds(-60)

    func say(_ text: String) {
        let seconds = String(format: "%5.1f s  ", (ContinuousClock().now - started).seconds)
        FileHandle.standardOutput.write(Data(((isTerminal ? "\r\u{1B}[K" : "") + seconds + text + "\n").utf8))
    }

    mutating func show(_ progress: DemoProgress) {
        let elapsed = ContinuousClock().now - started
        if isTerminal {
            let seconds = String(format: "%5.1f s  ", elapsed.seconds)
            FileHandle.standardOutput.write(Data(("\r\u{1B}[K" + seconds + progress.text).utf8))
        } else if elapsed - lastLine >= .seconds(5) {
            lastLine = elapsed
            say(progress.text)
        }
    }
}

/// Where the demo stands, read with one query.
struct DemoProgress {
    let ended: Int64
    let running: Int64
    let waiting: Int64
    let records: Int64
    let rotations: Int64
    let leastRotations: Int64
    let workers: Int64

    var isQuiet: Bool { running + waiting == 0 }

    var text: String {
        "\(ended) jobs ended, \(running) running, \(waiting) waiting; \(records) records mirrored; "
            + "\(rotations) rotations; \(workers) workers alive"
    }

    init(_ pool: PostgresPool) async throws {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                sql: """
                    select (select count(*) from leasehold.job_history) as ended,
                        (select count(*) from leasehold.job where state = 'running') as running,
                        (select count(*) from leasehold.job where state <> 'running') as waiting,
                        (select coalesce(sum(record_count), 0)::bigint from leasehold.mirror_table) as records,
                        (select coalesce(sum(generation), 0)::bigint from leasehold.credential_status) as rotations,
                        (select coalesce(min(generation), 0)::bigint from leasehold.credential_status) as least_rotations,
                        (select count(*) from leasehold.worker where lapsed_at is null
                            and heartbeat_at > clock_timestamp() - interval '5 seconds') as workers
                    """
            )
        }
        let row = try rows.only
        ended = try row.decode("ended")
        running = try row.decode("running")
        waiting = try row.decode("waiting")
        records = try row.decode("records")
        rotations = try row.decode("rotations")
        leastRotations = try row.decode("least_rotations")
        workers = try row.decode("workers")
    }
}
