import ArgumentParser

/// Measures the token vault against the fake Pitchly over loopback: the real refresh service, a real
/// database and a spool on a real disk. Each command prints one line of JSON. See Benchmarks/README.md.
@main struct BenchTokens: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leasehold-bench-tokens",
        abstract: "Measures exchanges, a storm of due credentials, and freshness under load.",
        subcommands: [RateCommand.self, StormCommand.self, FreshCommand.self]
    )
}

struct StageOptions: ParsableArguments {
    @Option(help: "libpq URI of an empty database.")
    var databaseURL: String

    @Option(help: "Folder on the disk that is measured; the spool is made in it.")
    var folder: String

    @Option(help: "What the provider adds to every answer.")
    var latencyMilliseconds = 100
}
