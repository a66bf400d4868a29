import Foundation
import Testing

/// The house's table of layers: what the files of a target may import. The compiler alone lets an
/// import through that is reachable by way of another target, so the files themselves are read.
private struct Layer {
    /// Targets of the product.
    let own: Set<String>
    /// Modules from outside, each of which enters the house at one place.
    let outside: Set<String>
    let reason: String
}

/// Of the toolchain, or allowed from layer 1 up.
private let everywhere: Set<String> = [
    "Foundation", "FoundationEssentials", "Synchronization", "Dispatch", "Glibc", "Musl", "Darwin",
]
private let observability: Set<String> = [
    "Logging", "Metrics", "Tracing", "ServiceLifecycle", "UnixSignals", "Collections", "DequeModule", "HeapModule",
    "OrderedCollections",
]

private let table: [String: Layer] = [
    "CLibPQ": Layer(own: [], outside: [], reason: "the C library and nothing else"),
    "SQLFiles": Layer(own: [], outside: [], reason: "layer 0 carries files"),
    "LeaseholdCore": Layer(own: [], outside: [], reason: "layer 0 holds values and imports nothing of ours"),
    "Postgres": Layer(
        own: ["CLibPQ", "LeaseholdCore", "SQLFiles"],
        outside: observability,
        reason: "layer 1; the only place that sees libpq"
    ),
    "Pitchly": Layer(
        own: ["LeaseholdCore"],
        outside: observability.union([
            "AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOSSL", "NIOTLS", "NIOPosix", "NIOFoundationCompat",
            "Crypto",
        ]),
        reason: "layer 1 knows HTTP and Pitchly, neither SQL nor the vault; the only place that sees AsyncHTTPClient"
    ),
    "JobQueue": Layer(
        own: ["LeaseholdCore", "SQLFiles", "Postgres"],
        outside: observability,
        reason: "layer 2; the queue knows neither Pitchly nor secrets"
    ),
    "TokenVault": Layer(
        own: ["LeaseholdCore", "SQLFiles", "Postgres"],
        outside: observability.union(["Crypto"]),
        reason: "layer 2; the vault is given an exchange function and never sees Pitchly"
    ),
    "WorkerRuntime": Layer(
        own: ["LeaseholdCore", "Postgres", "JobQueue"],
        outside: observability,
        reason: "layer 3 knows the queue and nothing of Pitchly or secrets"
    ),
    "PitchlySync": Layer(
        own: ["LeaseholdCore", "SQLFiles", "Postgres", "Pitchly", "JobQueue", "TokenVault"],
        outside: observability,
        reason: "layer 3 knows Pitchly and the vault and nothing of the runtime"
    ),
    "Leasehold": Layer(
        own: ["LeaseholdCore", "Postgres", "JobQueue", "WorkerRuntime"],
        outside: observability,
        reason: "what a Swift team imports to add its own job kinds"
    ),
    "PrometheusText": Layer(
        own: [],
        outside: ["Metrics", "CoreMetrics"],
        reason: "layer 0; turns what any part measures into text, and knows no part"
    ),
    "ControlAPI": Layer(
        own: ["LeaseholdCore", "SQLFiles", "Postgres", "JobQueue", "TokenVault"],
        outside: observability.union([
            "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "Crypto", "Mustache",
        ]),
        reason: "layer 4 serves queue and vault over HTTP; it is given what needs Pitchly"
    ),
    "LeaseholdCLI": Layer(
        own: [
            "LeaseholdCore", "SQLFiles", "Postgres", "Pitchly", "JobQueue", "TokenVault", "WorkerRuntime",
            "PitchlySync", "ControlAPI", "PrometheusText",
        ],
        outside: observability.union(["ArgumentParser", "Configuration", "FoundationNetworking"]),
        reason: "layer 5 builds everything by hand; it must not link the fake"
    ),
    "FakePitchly": Layer(
        own: [],
        outside: observability.union([
            "Hummingbird", "HummingbirdCore", "HTTPTypes", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOHTTPTypes",
            "NIOHTTPTypesHTTP1", "Crypto",
        ]),
        reason: "the fake imports nothing of the product: it judges it from the documents"
    ),
    "FakePitchlyCommand": Layer(
        own: ["FakePitchly"],
        outside: observability.union(["ArgumentParser"]),
        reason: "the fake imports nothing of the product"
    ),
]

@Suite struct LayeringTests {
    @Test func everyImportIsOnALowerLayer() throws {
        var broken: [String] = []
        for (file, target) in try sourceFiles() {
            let layer = try #require(table[target], "\(target) is missing in the table of LayeringTests")
            let allowed = layer.own.union(layer.outside).union(everywhere)
            for module in try imports(in: file) where !allowed.contains(module) {
                broken.append("\(file) imports \(module): \(layer.reason)")
            }
        }
        #expect(broken == [])
    }

    @Test func everyTargetHasItsRowAndEveryRowItsTarget() throws {
        let targets = Set(try Repository.folders(in: "Sources")).union(["SQLFiles"])
        #expect(targets == Set(table.keys))
    }

    @Test func noRowOfTheTableFormsACycle() {
        for (target, layer) in table {
            for lower in layer.own {
                #expect(table[lower]?.own.contains(target) == false, "\(target) and \(lower) import each other")
            }
        }
    }

    @Test func aForbiddenImportIsFound() throws {
        let found = importedModules(in: [
            "package import Foo", "@testable import struct Bar.Baz", "  // import Qux", "import Quux.Sub",
        ])
        #expect(found == ["Foo", "Bar", "Quux"])
    }

    private func sourceFiles() throws -> [(file: String, target: String)] {
        let swift = Repository.files(below: "Sources", endingWith: ".swift").map { file in
            (file, String(file.split(separator: "/")[1]))
        }
        try #require(swift.count > 10)
        return swift + Repository.files(below: "sql", endingWith: ".swift").map { ($0, "SQLFiles") }
    }

    private func imports(in file: String) throws -> [String] {
        importedModules(in: try Repository.lines(of: file))
    }

    private func importedModules(in lines: [String]) -> [String] {
        let declarationKinds: Set<Substring> = [
            "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
        ]
        return lines.compactMap { line in
            let words = line.split(separator: " ")
            guard let at = words.firstIndex(of: "import"),
                words[..<at].allSatisfy({
                    $0.hasPrefix("@") || ["public", "package", "internal", "private", "fileprivate"].contains($0)
                })
            else { return nil }
            let named = words[(at + 1)...].drop { declarationKinds.contains($0) }.first
            return named.map { String($0.split(separator: ".")[0]) }
        }
    }
}
