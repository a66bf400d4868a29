/// How tables are read and mirrored.
package struct SyncSettings: Sendable {
    /// Records asked for at once; the API may give fewer. Default 500.
    package var pageSize = 500
    /// A run that would delete more than this share of a mirror stops as suspicious. Default 0.5.
    package var deletedShare: Float = 0.5
    /// A run that would delete fewer records than this is never suspicious. Default 100.
    package var deletedFloor = 100
    /// Queue of the jobs that read one table. Default `default`.
    package var queue = "default"
    /// How long a job rests after 429 without Retry-After. Default 30 s.
    package var throttledDelay: Duration = .seconds(30)
    /// How long a job rests after a failure, if it had read at least one page. Default 5 s.
    package var resumeDelay: Duration = .seconds(5)

    package init() {}
}
