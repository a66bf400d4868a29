import ControlAPI
import LeaseholdCore
import Pitchly

/// Every setting there is, in the order in which people meet them.
package enum SettingsCatalog {
    package static let all: [Setting] = database + pitchly + secrets + worker + server + logs

    static let configFileName = "LEASEHOLD_CONFIG_FILE"

    private static let database: [Setting] = [
        .text(
            "databaseURL",
            example: "postgresql://leasehold@db.example/leasehold",
            help: "PostgreSQL, as a libpq URI or key=value string; without it libpq's own PG* variables decide"
        ),
        .number(
            "databasePoolSize",
            2...500,
            default: 10,
            help: "Most connections of one process to PostgreSQL; a worker has 4 more, and one per exchange"
        ),
        .choice(
            "databasePooler",
            ["none", "transaction"],
            default: "none",
            help: "transaction: the URL leads to PgBouncer in transaction mode, so no prepared statement and no LISTEN"
        ),
    ]

    private static let pitchly: [Setting] = [
        .url(
            "pitchly.oauthOrigin",
            default: "https://platform.pitchly.com",
            help: "Where /oauth/authorize and /api/oauth/token are"
        ),
        .url(
            "pitchly.apiURL",
            help: "The GraphQL endpoint; without it https://api.pitchly.com/graphql or https://v2.pitchly.net/graphql"
        ),
        .text(
            "pitchly.clientID",
            example: "appXGzqcXTH7PX7fjzw5",
            help: "Client ID (Pitchly's platform calls it App ID)"
        ),
        .text(
            "pitchly.clientSecret",
            example: "plys_…",
            isSecret: true,
            help: "Client secret; better in a file, see the next one"
        ),
        .text(
            "pitchly.clientSecretFile",
            example: "/etc/leasehold/client-secret",
            help: "File that holds the client secret and nothing else"
        ),
        .choice(
            "pitchly.dialect",
            DialectName.allCases.map(\.rawValue),
            default: DialectName.platform.rawValue,
            help: "Generation of the data API"
        ),
        .text(
            "pitchly.documents",
            example: "/etc/leasehold/pitchly",
            help: "Folder whose *.graphql and *.layout.json replace the dialect's own of the same name"
        ),
        .text(
            "pitchly.accessTokenExchangePath",
            default: "/api/oauth/token",
            example: "/api/oauth/token",
            help: "Where a user session's access token is exchanged for a refresh token (not public: ask Pitchly)"
        ),
        .text(
            "pitchly.accessTokenExchangeGrant",
            default: "access_token",
            example: "access_token",
            help: "The grant_type of that exchange"
        ),
        .text(
            "pitchly.accessTokenExchangeParameter",
            default: "access_token",
            example: "access_token",
            help: "The parameter of that exchange that carries the access token"
        ),
        .number(
            "pitchly.exchangeDeadlineSeconds",
            5...300,
            default: 60,
            help: "How long one exchange may take; a short one loses tokens that a slow answer would have brought"
        ),
        .number(
            "pitchly.serverTimeLimitSeconds",
            0...3600,
            default: 60,
            help: "How long Pitchly may go on working on an exchange after the deadline"
        ),
        .number(
            "pitchly.graceSeconds",
            0...86_400,
            default: 0,
            help: "For how long Pitchly answers a replay of the last refresh token with its successor; 0 is not at all"
        ),
        .flag(
            "pitchly.allowsAccessTokenExchange",
            default: true,
            help: "Whether a lost refresh token may be replaced by exchanging the still valid access token"
        ),
        .flag(
            "pitchly.allowsClientCredentials",
            default: false,
            help: "Whether the app may use the grant client_credentials with an organisation's id"
        ),
        .number(
            "pitchly.exchangesPerSecond",
            1...10_000,
            default: 20,
            help: "Exchanges per second of all workers together"
        ),
    ]

    private static let secrets: [Setting] = [
        .text(
            "keyringFile",
            example: "/etc/leasehold/keyring",
            help: "Keys that seal tokens at rest: one `id:base64 of 32 bytes` a line, newest first"
        ),
        .text(
            "keyring",
            example: "k1:…",
            isSecret: true,
            help: "The same keys without a file, for platforms that pass secrets by the environment"
        ),
        .text(
            "spoolDir",
            example: "/var/lib/leasehold/spool",
            help: "Folder on a durable disk for the sealed replies of the token endpoint"
        ),
        .text(
            "spoolCopyDir",
            example: "/mnt/other/spool",
            help: "A second folder, on another disk, that gets a copy of every reply"
        ),
    ]

    private static let worker: [Setting] = [
        .list(
            "worker.roles",
            default: "jobs,refresh",
            expected: "jobs, refresh or both, separated by a comma",
            help: "jobs: claim and run; refresh: exchange tokens. A jobs-only worker asks through the database",
            isValidItem: { ["jobs", "refresh"].contains($0) }
        ),
        .number(
            "worker.exchanges",
            1...500,
            default: 8,
            help: "Exchanges that one worker makes at once; each holds a connection while it waits for Pitchly"
        ),
        .number("worker.concurrency", 1...10_000, default: 20, help: "Jobs that one worker runs at once"),
        .list(
            "worker.queues",
            default: "default",
            expected: "queue names separated by commas (a-z 0-9 . _ -)",
            help: "Queues to work on",
            isValidItem: { QueueName(rawValue: $0) != nil }
        ),
        .number(
            "worker.drainSeconds",
            0...3600,
            default: 30,
            help: "After the first signal, how long running jobs may finish before they are handed back"
        ),
        .number(
            "worker.heartbeatSeconds",
            1...60,
            default: 5,
            help: "Between two signs of life; a worker silent for six of them is taken for dead"
        ),
        .number(
            "worker.probePort",
            0...65_535,
            default: 0,
            help: "Where a worker answers /live, /ready and /metrics, on LEASEHOLD_SERVER_HOST; 0 is nowhere"
        ),
    ]

    private static let server: [Setting] = [
        .text(
            "server.host",
            default: "127.0.0.1",
            example: "0.0.0.0",
            help: "Address that leasehold serve listens on; the default is this machine alone"
        ),
        .number("server.port", 0...65_535, default: 8080, help: "Port of leasehold serve; 0 takes a free one"),
        .url(
            "server.publicURL",
            help: "Under which browsers reach leasehold serve; the redirect URI is this and /oauth/callback"
        ),
        .list(
            "server.roles",
            default: "api,page,tokens",
            expected: "api, page, tokens, separated by commas",
            help:
                "api: /v1; page: / for people; tokens: connect tenants and give access tokens (needs key ring and spool)",
            isValidItem: { ["api", "page", "tokens"].contains($0) }
        ),
        .list(
            "server.trustedProxies",
            expected: "addresses or CIDR ranges separated by commas, each without bits beyond its length",
            example: "10.0.0.0/8,fd00::/8",
            help:
                "Reverse proxies before leasehold serve; who comes by way of one is limited and logged by its own address",
            isValidItem: { AddressRange($0) != nil }
        ),
        .choice(
            "server.forwardedHeader",
            TrustedProxies.Header.allCases.map(\.rawValue),
            default: TrustedProxies.Header.xForwardedFor.rawValue,
            help: "The header in which those proxies write for whom they forward; each must write it, not pass it on"
        ),
        .number("server.bodyLimitBytes", 1024...67_108_864, default: 2_097_152, help: "Longest body of a request"),
        .number(
            "server.requestSeconds",
            1...3600,
            default: 15,
            help: "From the first to the last byte of a request; slower clients are cut off"
        ),
        .number("server.ratePerSecond", 1...100_000, default: 100, help: "Requests per second of one API key"),
    ]

    private static let logs: [Setting] = [
        .choice(
            "logLevel",
            ["trace", "debug", "info", "notice", "warning", "error", "critical"],
            default: "info",
            help: "Least severe level that is written"
        ),
        .choice("logFormat", ["text", "json"], default: "text", help: "Log lines for people or for programs"),
    ]
}
