package import TestSupport

/// What is done to all tenants and workers at once.
extension FaultStage {
    /// The primary dies, `standby` takes its place, and every connection leads there.
    package func fail(over standby: PrivatePostgres) async throws {
        try await director.failOver(to: standby)
    }

    /// The same of a standby that has not received the commits of the last moments.
    func failOver(missingCommits standby: PrivatePostgres) async throws {
        try await standby.stopReceiving(logger: logger)
        try await ContinuousClock().sleep(for: .milliseconds(500))
        try await fail(over: standby)
    }

    /// One exchange of every tenant, without faults.
    ///
    /// - Throws: if one of them brings no new token.
    package func rotateAll() async throws {
        let broken = try await brokenTenants()
        guard broken.isEmpty else {
            throw TestSupportError(
                label: "no_rotation",
                message: "expected every tenant to get a new token, got none for \(broken.joined(separator: " "))"
            )
        }
    }

    /// Those that one more exchange did not bring a new token.
    func brokenTenants() async throws -> [String] {
        let runner = TrialRunner(self)
        return try await withThrowingTaskGroup(of: String?.self) { group in
            for tenant in tenants {
                group.addTask {
                    let result = try await runner.run(Trial(number: -1, fault: .none), tenant: tenant)
                    return result.end == .saved ? nil : tenant
                }
            }
            return try await group.reduce(into: []) { if let tenant = $1 { $0.append(tenant) } }.sorted()
        }
    }

    /// Returns once the rows, in the order of the tenants' names, are as they should be.
    ///
    /// - Throws: after two minutes, which no recovery takes.
    package func waitUntil(_ what: String, _ isReached: ([CredentialStanding]) -> Bool) async throws {
        try await wait(for: what) { isReached(try await database.standings(of: tenants)) }
    }

    /// Returns once a worker has logged `text`.
    package func waitForLog(_ text: String) async throws {
        try await wait(for: "\(text) in a log") { try await logsContain(anyOf: [text]) }
    }

    /// Other processes work meanwhile and send no signal here, so it is asked again and again.
    private func wait(for what: String, _ isReached: () async throws -> Bool) async throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(120)
        while try await !isReached() {
            guard clock.now < end else {
                let standings = try await database.standings(of: tenants).filter { !$0.isHealthy }
                throw TestSupportError(label: "waited", message: "expected \(what), got nothing: \(standings)")
            }
            try await clock.sleep(for: .milliseconds(200))
        }
    }
}
