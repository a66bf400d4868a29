/// How tables are read and mirrored.
package struct SyncSettings: Sendable {
    /// Records asked for at once; the API may give fewer. Default 500.
    package var pageSize = 500
    /// A run that would delete more than this share of a mirror stops as suspicious. Default 0.5.
    package var deletedShare: Float = 0.5
    /// A run that would delete fewer records than this is never suspicious. Default 100.
    package var deletedFloor = 100
    /// When a run may read only what changed. Default ``Incremental/exact``.
    package var incremental = Incremental.exact
    /// How often a table is read as a whole even so. Default 24 h.
    package var fullEvery: Duration = .seconds(86_400)
    /// How far before the last run's start, by Pitchly's clock, an incremental run begins: longer than a
    /// change may take there from being dated to being shown. Default 5 min.
    package var overlap: Duration = .seconds(300)
    /// Queue of the jobs that read one table. Default `default`.
    package var queue = "default"
    /// How long consumers have to read a change of a mirror. Default 7 days.
    package var keepChanges: Duration = .seconds(7 * 86_400)
    /// How long finished runs are kept; the last of each table stays. Default 30 days.
    package var keepRuns: Duration = .seconds(30 * 86_400)
    /// A run that no job has gone on with for so long is given up. Default 1 day.
    package var abandonAfter: Duration = .seconds(86_400)
    /// Pushes looked at together; how many of them go into one request is the dialect's to say. Default 100.
    package var pushBatch = 100
    /// How long pushes that ended and their idempotency keys are kept. Default 30 days.
    package var keepPushes: Duration = .seconds(30 * 86_400)
    /// How long a job rests after 429 without Retry-After. Default 30 s.
    package var throttledDelay: Duration = .seconds(30)
    /// How long a job rests after a failure, if it had read at least one page. Default 5 s.
    package var resumeDelay: Duration = .seconds(5)

    package init() {}
}

extension SyncSettings {
    /// Which tables may be read by their Updated At field between two full runs.
    package enum Incremental: String, Sendable, CaseIterable {
        case never
        /// Tables without lookups, rollups, formulas and references, whose shown content changes
        /// without the record being updated: both kinds of run give the same mirror.
        case exact
        /// Every table with an Updated At field; derived cells are as old as the last full run.
        case always
    }
}
