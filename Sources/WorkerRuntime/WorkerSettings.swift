package import LeaseholdCore

/// How a worker behaves. Checked once, when the worker is made.
package struct WorkerSettings: Sendable, Equatable {
    /// Shown beside the worker in tables and logs; need not be unique.
    package var name: String
    /// Of the program, shown beside the name.
    package var version: String?
    /// Which queues it serves, each tenant's turn decided over all of them. At least one.
    package var queues: [QueueName] = [.default]
    /// Jobs at once, 1 to 10 000. Default 10.
    package var slots = 10
    /// How long the database waits for a heartbeat before it gives this worker's jobs to others,
    /// 1 s to 1 h. Default 30 s.
    package var lapse: Duration = .seconds(30)
    /// Between heartbeats; less than a third of the lapse, so that two may be lost. Default 5 s.
    package var heartbeatInterval: Duration = .seconds(5)
    /// Between looks for cancel requests while jobs run and no notification can tell of one. Default 1 s.
    package var cancelPoll: Duration = .seconds(1)
    /// How long before the lapse a worker without heartbeat cancels its jobs: what its handlers have
    /// to stop in. Less than half of the lapse. Default 8 s.
    package var stopMargin: Duration = .seconds(8)
    /// How long running jobs may go on after the worker was asked to stop. Default 20 s, which leaves
    /// 10 s for the rest within the 30 s that Kubernetes grants.
    package var drainTime: Duration = .seconds(20)
    /// How long the last outcomes of a shutdown are offered to a database that does not answer.
    /// What is still unwritten then is run again by others after the lapse. Default 5 s.
    package var farewellTime: Duration = .seconds(5)
    /// How long a job of an unknown kind waits for a worker that knows it. Default 1 minute.
    package var unknownKindDelay: Duration = .seconds(60)
    /// Between looks for the jobs of dead workers. Default 15 s, spread.
    package var rescueInterval: Duration = .seconds(15)
    /// The longest between looks for schedules that are due; the next one known is fired at its time.
    /// Also how long a schedule that was just added may go unnoticed. Default 15 s.
    package var scheduleInterval: Duration = .seconds(15)
    /// Between comparisons of the jobs the database counts as this worker's with those it runs: finds
    /// jobs whose claim was committed while its answer was lost. Default 30 s.
    package var reconcileInterval: Duration = .seconds(30)
    /// How long one round trip to the database may take before it is given up and tried again.
    /// Default 10 s.
    package var answerLimit: Duration = .seconds(10)
    package var claims = ClaimPacing()
    package var settles = SettlePacing()

    package init(name: String) { self.name = name }

    /// - Throws: ``WorkerSettingsError`` for the first setting that is out of range.
    package func validate() throws(WorkerSettingsError) {
        try expect(!queues.isEmpty, "queues", "to name at least one queue", got: "none", try: "default")
        try expect((1...10_000).contains(slots), "slots", "to be 1 to 10000", got: "\(slots)", try: "10")
        try expect(
            lapse >= .seconds(1) && lapse <= .seconds(3600),
            "lapse",
            "to be 1 s to 1 h",
            got: "\(lapse)",
            try: "30 s"
        )
        try expect(
            heartbeatInterval > .zero && heartbeatInterval * 3 < lapse,
            "heartbeat interval",
            "to be above zero and less than a third of the lapse of \(lapse)",
            got: "\(heartbeatInterval)",
            try: "\(lapse / 6)"
        )
        try expect(
            stopMargin >= .zero && stopMargin * 2 < lapse,
            "stop margin",
            "to be zero or more and less than half of the lapse of \(lapse)",
            got: "\(stopMargin)",
            try: "\(lapse / 4)"
        )
        try validatePauses()
    }

    private func validatePauses() throws(WorkerSettingsError) {
        try expect(drainTime >= .zero, "drain time", "to be zero or more", got: "\(drainTime)", try: "20 s")
        let pauses: [(String, Duration)] = [
            ("farewell time", farewellTime), ("unknown-kind delay", unknownKindDelay),
            ("rescue interval", rescueInterval), ("reconcile interval", reconcileInterval),
            ("schedule interval", scheduleInterval), ("cancel poll", cancelPoll), ("answer limit", answerLimit),
            ("shortest claim pause", claims.shortestPause),
            ("asleep pause", claims.asleepPause),
        ]
        for (name, pause) in pauses {
            try expect(pause > .zero, name, "to be above zero", got: "\(pause)", try: "the default")
        }
        try expect(
            claims.longestPause >= claims.shortestPause,
            "longest claim pause",
            "to be at least the shortest, \(claims.shortestPause)",
            got: "\(claims.longestPause)",
            try: "the default"
        )
        try expect(
            claims.flagTime > claims.asleepPause * 2,
            "sleep flag's time",
            "to be more than two asleep pauses of \(claims.asleepPause)",
            got: "\(claims.flagTime)",
            try: "the default"
        )
        try expect(
            settles.largestBatch >= 1 && settles.lowWater < settles.highWater && settles.lowWater >= 0,
            "settle marks",
            "to satisfy 1 <= batch and 0 <= low water < high water",
            got: "\(settles.largestBatch), \(settles.lowWater) and \(settles.highWater)",
            try: "the defaults"
        )
    }

    private func expect(
        _ holds: Bool,
        _ setting: String,
        _ expected: String,
        got: String,
        try remedy: String
    ) throws(WorkerSettingsError) {
        if !holds { throw WorkerSettingsError(setting: setting, expected: expected, got: got, hint: remedy) }
    }
}

/// A setting with which a worker must not start.
package struct WorkerSettingsError: ExplainedError, Equatable {
    package let setting: String
    package let expected: String
    package let got: String
    package let hint: String?

    package var label: String { "worker_setting_out_of_range" }
    package var message: String { "expected the worker's \(setting) \(expected), got \(got)" }
}
