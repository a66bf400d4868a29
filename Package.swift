// swift-tools-version: 6.2
import PackageDescription

// A target may depend only on targets of a lower layer; LayeringTests holds the same table
// against the imports in the files, because the compiler alone lets an import through that
// is reachable by way of another target.
let swiftSettings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (Context.environment["CI"] == "true" ? [.treatAllWarnings(as: .error)] : [])

let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let metricsTestKit: Target.Dependency = .product(name: "MetricsTestKit", package: "swift-metrics")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let tracingInMemory: Target.Dependency = .product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle",
    package: "swift-service-lifecycle"
)
let signals: Target.Dependency = .product(
    name: "UnixSignals",
    package: "swift-service-lifecycle"
)
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPTypes: Target.Dependency = .product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)
let configuration: Target.Dependency = .product(
    name: "Configuration",
    package: "swift-configuration"
)

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(
    _ name: String,
    _ dependencies: [Target.Dependency],
    resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        resources: resources,
        swiftSettings: swiftSettings
    )
}

let package = Package(
    name: "leasehold",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Leasehold", targets: ["Leasehold"]),
        .executable(name: "leasehold", targets: ["LeaseholdCLI"]),
        .executable(name: "fake-pitchly", targets: ["FakePitchlyCommand"]),
        .executable(name: "leasehold-bench-worker", targets: ["BenchWorker"]),
        .executable(name: "leasehold-bench-tokens", targets: ["BenchTokens"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Layer 0
        .systemLibrary(
            name: "CLibPQ",
            pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]
        ),
        library("LeaseholdCore", []),
        .target(
            name: "SQLFiles",
            path: "sql",
            exclude: ["README.md", "schema.sql"],
            sources: [
                "SQLFiles.swift", "SQLFiles+Tenant.swift", "SQLFiles+Queue.swift", "SQLFiles+Vault.swift",
                "SQLFiles+Sync.swift", "SQLFiles+Push.swift", "SQLFiles+Operations.swift", "SQLFiles+Schedule.swift",
                "SQLFiles+Control.swift", "SQLFiles+Page.swift",
            ],
            swiftSettings: swiftSettings,
            plugins: ["EmbedTexts"]
        ),
        .plugin(name: "EmbedTexts", capability: .buildTool(), dependencies: ["EmbedTextsTool"]),
        .executableTarget(name: "EmbedTextsTool", path: "Plugins/EmbedTextsTool", swiftSettings: swiftSettings),
        library("PrometheusText", [metrics]),
        // Layer 1
        library("Postgres", ["CLibPQ", "LeaseholdCore", "SQLFiles", logging, metrics, lifecycle]),
        .target(
            name: "Pitchly",
            dependencies: [
                "LeaseholdCore", httpClient, nioCore, nioHTTP1, nioPosix, nioSSL, nioTLS, crypto, logging, metrics,
            ],
            resources: [.embedInCode("Documents")],
            swiftSettings: swiftSettings
        ),
        // Layer 2
        library("JobQueue", ["LeaseholdCore", "SQLFiles", "Postgres", logging, metrics, tracing]),
        library(
            "TokenVault",
            ["LeaseholdCore", "SQLFiles", "Postgres", crypto, logging, metrics, tracing, lifecycle]
        ),
        // Layer 3
        library(
            "WorkerRuntime",
            ["LeaseholdCore", "Postgres", "JobQueue", logging, metrics, tracing, lifecycle, signals]
        ),
        library(
            "PitchlySync",
            [
                "LeaseholdCore", "SQLFiles", "Postgres", "Pitchly", "JobQueue", "TokenVault",
                logging, metrics,
            ]
        ),
        // Layer 4
        library(
            "Leasehold",
            ["LeaseholdCore", "Postgres", "JobQueue", "WorkerRuntime", logging, lifecycle]
        ),
        .target(
            name: "ControlAPI",
            dependencies: [
                "LeaseholdCore", "SQLFiles", "Postgres", "JobQueue", "TokenVault", hummingbird, hummingbirdCore,
                httpTypes,
                nioCore, nioHTTP1, nioHTTPTypes, crypto, mustache, logging, metrics, lifecycle,
            ],
            resources: [.embedInCode("OpenAPI"), .embedInCode("Page/Templates"), .embedInCode("Page/Style")],
            swiftSettings: swiftSettings
        ),
        // Layer 5
        .executableTarget(
            name: "LeaseholdCLI",
            dependencies: [
                "LeaseholdCore", "SQLFiles", "Postgres", "Pitchly", "JobQueue", "TokenVault",
                "WorkerRuntime", "PitchlySync", "ControlAPI", "PrometheusText", argumentParser, configuration,
                logging, metrics, lifecycle, signals,
            ],
            swiftSettings: swiftSettings
        ),
        // The benchmark's worker: a user of the library and of nothing else of ours.
        .executableTarget(
            name: "BenchWorker",
            dependencies: ["Leasehold", argumentParser, logging, lifecycle, signals],
            path: "Benchmarks/Worker",
            swiftSettings: swiftSettings
        ),
        // The benchmark of the token vault, against the fake Pitchly.
        .executableTarget(
            name: "BenchTokens",
            dependencies: [
                "FakePitchly", "LeaseholdCore", "Pitchly", "Postgres", "TokenVault", argumentParser, logging, lifecycle,
            ],
            path: "Benchmarks/Tokens",
            swiftSettings: swiftSettings
        ),
        // Beside: the fake Pitchly imports nothing of the product.
        .target(
            name: "FakePitchly",
            dependencies: [hummingbird, hummingbirdCore, nioCore, nioPosix, crypto, logging, lifecycle],
            resources: [.embedInCode("Schemas")],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "FakePitchlyCommand",
            dependencies: ["FakePitchly", argumentParser, logging, lifecycle],
            swiftSettings: swiftSettings
        ),
        // Tests
        .target(
            name: "TestSupport",
            dependencies: ["LeaseholdCore", "Postgres", "SQLFiles", logging],
            path: "Tests/TestSupport",
            swiftSettings: swiftSettings
        ),
        .target(
            name: "FaultKit",
            dependencies: [
                "LeaseholdCore", "Postgres", "Pitchly", "TokenVault", "FakePitchly", "TestSupport", logging,
            ],
            path: "Tests/FaultKit",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "Chaos",
            dependencies: ["FaultKit", "FakePitchly", "TestSupport", argumentParser, logging],
            path: "Tests/Chaos",
            swiftSettings: swiftSettings
        ),
        tests(
            "FaultTests",
            ["FaultKit", "LeaseholdCLI", "FakePitchly", "Postgres", "TestSupport", "TokenVault", logging]
        ),
        tests("HouseTests", ["LeaseholdCore", "SQLFiles", "Postgres", "TestSupport"]),
        tests("CoreTests", ["LeaseholdCore"]),
        tests("PostgresTests", ["Postgres", "LeaseholdCore", "SQLFiles", "TestSupport", lifecycle, logging]),
        tests(
            "PitchlyTests",
            [
                "Pitchly", "LeaseholdCore", "FakePitchly", "TestSupport", nioCore, nioPosix, nioSSL, logging,
            ],
            resources: [.copy("Fixtures")]
        ),
        tests("JobQueueTests", ["JobQueue", "Postgres", "LeaseholdCore", "TestSupport"]),
        tests(
            "TokenVaultTests",
            ["TokenVault", "Pitchly", "Postgres", "LeaseholdCore", "FakePitchly", "TestSupport", logging, lifecycle]
        ),
        tests(
            "WorkerRuntimeTests",
            [
                "WorkerRuntime", "Leasehold", "JobQueue", "Postgres", "LeaseholdCore", "TestSupport",
                logging, metrics, metricsTestKit, lifecycle, signals, tracing, tracingInMemory,
            ]
        ),
        tests(
            "PitchlySyncTests",
            [
                "PitchlySync", "Pitchly", "TokenVault", "JobQueue", "Postgres", "LeaseholdCore",
                "SQLFiles", "FakePitchly", "TestSupport", logging,
            ]
        ),
        tests(
            "FakePitchlyTests",
            ["FakePitchly", httpClient, nioCore, nioHTTP1, nioPosix],
            resources: [.copy("Fixtures")]
        ),
        tests("PrometheusTextTests", ["PrometheusText", "TestSupport", metrics]),
        tests(
            "ControlAPITests",
            [
                "ControlAPI", "PrometheusText", "Pitchly", "TokenVault", "JobQueue", "Postgres", "LeaseholdCore",
                "FakePitchly", "TestSupport", httpClient, httpTypes, nioCore, nioHTTP1, nioPosix, logging, metrics,
                lifecycle,
            ]
        ),
        tests(
            "CLITests",
            [
                "LeaseholdCLI", "LeaseholdCore", "Pitchly", "PitchlySync", "PrometheusText", "FakePitchly",
                argumentParser, logging,
            ]
        ),
        tests(
            "OperationsTests",
            ["LeaseholdCLI", "LeaseholdCore", "SQLFiles", "Postgres", "TestSupport", argumentParser, logging]
        ),
        tests(
            "EndToEndTests",
            [
                "LeaseholdCLI", "FakePitchlyCommand", "FakePitchly", "Pitchly", "Postgres", "JobQueue",
                "LeaseholdCore", "TokenVault", "TestSupport", httpClient, nioCore, nioHTTP1, logging,
            ]
        ),
    ]
)
