package import Postgres

extension PostgresConfiguration {
    /// For tests: hundreds of them connect at the same moment, and how long a busy machine takes for that
    /// is none of their business.
    package static func patient(url: String?, applicationName: String = "leasehold-test") -> PostgresConfiguration {
        var configuration = PostgresConfiguration(url: url, applicationName: applicationName)
        configuration.connectTimeout = .seconds(120)
        return configuration
    }
}
