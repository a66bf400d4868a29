import ArgumentParser
import Foundation

/// The flags that every command takes: one for each setting that is not secret.
struct SettingsOptions: ParsableArguments {
    @Option(help: "JSON file with settings, nested by the dots of their keys. Environment and flags win over it.")
    var configFile: String?

    @Option(
        help:
            "PostgreSQL as a libpq URI or key=value string. A password in it shows in the process list: use PGPASSFILE."
    )
    var databaseUrl: String?
    @Option(help: .hidden) var databasePoolSize: String?
    @Option(help: .hidden) var databasePooler: String?
    @Option(help: .hidden) var pitchlyOauthOrigin: String?
    @Option(help: .hidden) var pitchlyApiUrl: String?
    @Option(help: .hidden) var pitchlyClientId: String?
    @Option(help: .hidden) var pitchlyClientSecretFile: String?
    @Option(help: .hidden) var pitchlyDialect: String?
    @Option(help: .hidden) var pitchlyDocuments: String?
    @Option(help: .hidden) var pitchlyAccessTokenExchangePath: String?
    @Option(help: .hidden) var pitchlyAccessTokenExchangeGrant: String?
    @Option(help: .hidden) var pitchlyAccessTokenExchangeParameter: String?
    @Option(help: .hidden) var pitchlyExchangeDeadlineSeconds: String?
    @Option(help: .hidden) var keyringFile: String?
    @Option(help: .hidden) var spoolDir: String?
    @Option(help: .hidden) var pitchlyServerTimeLimitSeconds: String?
    @Option(help: .hidden) var pitchlyGraceSeconds: String?
    @Option(help: .hidden) var pitchlyAllowsAccessTokenExchange: String?
    @Option(help: .hidden) var pitchlyAllowsClientCredentials: String?
    @Option(help: .hidden) var pitchlyExchangesPerSecond: String?
    @Option(help: .hidden) var spoolCopyDir: String?
    @Option(help: .hidden) var workerRoles: String?
    @Option(help: .hidden) var workerExchanges: String?
    @Option(help: .hidden) var workerConcurrency: String?
    @Option(help: .hidden) var workerQueues: String?
    @Option(help: .hidden) var workerDrainSeconds: String?
    @Option(help: .hidden) var workerHeartbeatSeconds: String?
    @Option(help: .hidden) var workerProbePort: String?
    @Option(help: .hidden) var serverHost: String?
    @Option(help: .hidden) var serverPort: String?
    @Option(help: .hidden) var serverPublicUrl: String?
    @Option(help: .hidden) var serverRoles: String?
    @Option(help: .hidden) var serverTrustedProxies: String?
    @Option(help: .hidden) var serverForwardedHeader: String?
    @Option(help: .hidden) var serverBodyLimitBytes: String?
    @Option(help: .hidden) var serverRequestSeconds: String?
    @Option(help: .hidden) var serverRatePerSecond: String?
    @Option(help: "Least severe level that is written: trace, debug, info, notice, warning, error, critical.")
    var logLevel: String?
    @Option(help: "Log lines for people (text) or programs (json).")
    var logFormat: String?

    /// The flags given, by key of the setting.
    var given: [String: String] {
        let all: [String: String?] = [
            "databaseURL": databaseUrl, "databasePoolSize": databasePoolSize, "databasePooler": databasePooler,
            "pitchly.oauthOrigin": pitchlyOauthOrigin, "pitchly.apiURL": pitchlyApiUrl,
            "pitchly.clientID": pitchlyClientId, "pitchly.clientSecretFile": pitchlyClientSecretFile,
            "pitchly.dialect": pitchlyDialect, "pitchly.documents": pitchlyDocuments,
            "pitchly.accessTokenExchangePath": pitchlyAccessTokenExchangePath,
            "pitchly.accessTokenExchangeGrant": pitchlyAccessTokenExchangeGrant,
            "pitchly.accessTokenExchangeParameter": pitchlyAccessTokenExchangeParameter,
            "pitchly.exchangeDeadlineSeconds": pitchlyExchangeDeadlineSeconds,
            "keyringFile": keyringFile, "spoolDir": spoolDir,
            "worker.concurrency": workerConcurrency, "worker.queues": workerQueues,
            "worker.drainSeconds": workerDrainSeconds, "worker.heartbeatSeconds": workerHeartbeatSeconds,
            "pitchly.serverTimeLimitSeconds": pitchlyServerTimeLimitSeconds,
            "pitchly.graceSeconds": pitchlyGraceSeconds,
            "pitchly.allowsAccessTokenExchange": pitchlyAllowsAccessTokenExchange,
            "pitchly.allowsClientCredentials": pitchlyAllowsClientCredentials,
            "pitchly.exchangesPerSecond": pitchlyExchangesPerSecond,
            "spoolCopyDir": spoolCopyDir,
            "worker.roles": workerRoles, "worker.exchanges": workerExchanges, "worker.probePort": workerProbePort,
            "server.host": serverHost, "server.port": serverPort, "server.publicURL": serverPublicUrl,
            "server.roles": serverRoles, "server.trustedProxies": serverTrustedProxies,
            "server.forwardedHeader": serverForwardedHeader, "server.bodyLimitBytes": serverBodyLimitBytes,
            "server.requestSeconds": serverRequestSeconds, "server.ratePerSecond": serverRatePerSecond,
            "logLevel": logLevel, "logFormat": logFormat,
        ]
        return all.compactMapValues { $0 }
    }

    func load(environment: [String: String] = ProcessInfo.processInfo.environment) throws -> SettingsLoader {
        try SettingsLoader(flags: given, configFile: configFile, environment: environment)
    }
}
