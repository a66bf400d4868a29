import Foundation

/// What a vault worker of the fault tests is started with; crosses to its process as JSON in an
/// environment variable.
package struct WorkerOptions: Codable, Sendable {
    package static let variable = "VAULT_WORKER_OPTIONS"

    package var databaseURL: String
    /// Of the provider, without a path.
    package var origin: String
    package var clientID: String
    package var clientSecret: String
    package var spoolFolder: String
    package var keyFile: String

    /// The provider's profile, shortened so that a test need not wait for minutes.
    package var deadlineSeconds = 2.0
    package var serverTimeLimitSeconds = 1.0
    package var sendWindowSeconds = 2.0
    package var spoolPatienceSeconds = 2.0
    /// Nil: none is known.
    package var graceSeconds: Double?
    package var allowsAccessTokenExchange = true

    package var exchangeLimit = 8
    /// Waits at every step for the order to go on.
    package var isWatched = true

    package init(
        databaseURL: String,
        origin: String,
        clientID: String,
        clientSecret: String,
        spoolFolder: String,
        keyFile: String
    ) {
        self.databaseURL = databaseURL
        self.origin = origin
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.spoolFolder = spoolFolder
        self.keyFile = keyFile
    }

    package var environment: [String: String] {
        get throws { [Self.variable: String(decoding: try JSONEncoder().encode(self), as: UTF8.self)] }
    }

    /// - Throws: if the variable is missing or is not what ``environment`` gives.
    package static func current() throws -> WorkerOptions {
        let text = ProcessInfo.processInfo.environment[variable] ?? ""
        return try JSONDecoder().decode(WorkerOptions.self, from: Data(text.utf8))
    }

    /// For how long an intent stays open if its owner dies, with a second to spare.
    package var intentLifetime: Duration { .seconds(sendWindowSeconds + deadlineSeconds + 6) }
}
