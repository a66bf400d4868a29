import ArgumentParser
import FakePitchly
import Foundation
import TokenVault

/// Tenants that all fell due during two hours of downtime, and several workers that come back at once.
///
/// The budget is time-lapsed: a bucket of 20 exchanges a second over two virtual seconds is one of 40
/// over a real second, so the windows are as many times shorter. A machine that stalls for longer than a
/// window shows as a fuller one after it.
struct StormCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "storm", abstract: "All tenants due at once.")

    @OptionGroup var stage: StageOptions
    @Option(help: "Tenants that are due.") var tenants = 10_000
    @Option(help: "How many of them have a job waiting.") var urgent = 500
    @Option(help: "Workers.") var workers = 4
    @Option(help: "The bucket, in exchanges a virtual second.") var exchangesPerSecond = 20.0
    @Option(help: "The bucket's burst.") var burst = 20
    @Option(help: "Virtual seconds in a real one.") var lapse = 2.0

    func run() async throws {
        try await TokenStage.with(stage, tenants: tenants, accessTokenSeconds: 3600) { stage in
            let refreshers = try await makeRefreshers(stage)
            try await stage.storeGrants(refreshers[0].vault)
            try await stage.sql(
                """
                insert into leasehold.schedule (name, kind, every_seconds) values ('all', 'bench.kind', 3600);
                update leasehold.credential set refresh_due_at = refresh_due_at - interval '2 hours';
                select leasehold.enqueue('t' || i * \(tenants / urgent), 'bench.kind')
                from generate_series(0, \(urgent - 1)) i;
                update leasehold.provider set bucket = burst, bucket_at = clock_timestamp();
                analyze
                """
            )
            let started = ContinuousClock.now
            try await stage.serving(refreshers) {
                let limit = started + .seconds(Double(tenants) / (exchangesPerSecond * lapse) * 3 + 60)
                while stage.exchanged < tenants, ContinuousClock.now < limit {
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
            try report(try await figures(stage, elapsed: (ContinuousClock.now - started) / .seconds(1)))
        }
    }

    private func makeRefreshers(_ stage: TokenStage) async throws -> [TokenStage.Refresher] {
        var refreshers: [TokenStage.Refresher] = []
        for _ in 0..<workers {
            refreshers.append(
                try await stage.refresher(
                    exchangesAtOnce: 16,
                    exchangesPerSecond: exchangesPerSecond * lapse,
                    burst: burst
                )
            )
        }
        return refreshers
    }

    /// Windows of one virtual second slide over the starts of the exchanges.
    private func figures(_ stage: TokenStage, elapsed: Double) async throws -> [String: Double] {
        let busiest = try await stage.number(
            """
            select max(n)::float8 from (
                select count(*) over (order by started_at
                    range between current row and interval '\(1 / lapse) seconds' following) as n
                from leasehold.credential_exchange) windows
            """
        )
        let overtaken = try await stage.number(
            """
            select coalesce(max(place), 0)::float8 - \(urgent) from (
                select e.tenant_id, row_number() over (order by e.started_at) as place
                from leasehold.credential_exchange e) ordered
            where exists (select from leasehold.job j where j.tenant_id = ordered.tenant_id)
            """
        )
        let fresh = try await stage.number(
            """
            select (count(*) filter (where access_expires_at > clock_timestamp() + interval '30 minutes'))::float8
            from leasehold.credential
            """
        )
        return [
            "tenants": Double(tenants),
            "busiest_second": busiest,
            "bucket": exchangesPerSecond + Double(burst),
            "mean_per_second": Double(stage.exchanged) / (elapsed * lapse),
            "overtaken": overtaken,
            "fresh": fresh / Double(tenants),
            "posts": Double(stage.fake.totals.posts),
            "presented_twice": Double(stage.fake.totals.presentedTwice),
            "seconds": elapsed,
        ]
    }
}
