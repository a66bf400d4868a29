import ArgumentParser
import FakePitchly

struct DataOptions: ParsableArguments {
    @Option(help: "Of ids and data; the same seed and sizes give the same ones.")
    var seed: UInt64 = 1

    @Option(help: "How many organisations.")
    var organizations = 25

    @Option(help: "How many of them, the first ones, are large.")
    var large = 3

    @Option(help: "Workspaces in each organisation.")
    var workspaces = 1

    @Option(help: "Tables in each workspace; at most 64 in an organisation.")
    var tables = 2

    @Option(help: "Records in each table, as a number or a range: 50 or 20-80.")
    var records: RecordRange = RecordRange(20...80)

    @Option(help: "The same for large organisations; a million cost no memory.")
    var largeRecords: RecordRange = RecordRange(2_000...3_000)

    @Option(help: "Fields in each table: the first so many of the 16 types, from the start again after that.")
    var fields = 16

    func validate() throws {
        let numbers = [
            ("organizations", organizations), ("workspaces", workspaces), ("tables", tables), ("fields", fields),
        ]
        for (name, number) in numbers where number < 1 {
            throw ValidationError("expected --\(name) to be 1 or more, got \(number)")
        }
        guard workspaces * tables <= 64 else {
            throw ValidationError("expected --workspaces times --tables to be at most 64, got \(workspaces * tables)")
        }
    }

    func apply(to configuration: inout FakePitchlyConfiguration) {
        configuration.seed = seed
        configuration.data.organizations = organizations
        configuration.data.largeOrganizations = large
        configuration.data.workspacesPerOrganization = workspaces
        configuration.data.tablesPerWorkspace = tables
        configuration.data.recordsPerTable = records.range
        configuration.data.recordsPerLargeTable = largeRecords.range
        let types = FieldType.allCases
        configuration.data.fieldTypes = (0..<fields).map { types[$0 % types.count] }
    }
}

/// `50` or `20-80`.
struct RecordRange: ExpressibleByArgument, CustomStringConvertible {
    let range: ClosedRange<Int>

    init(_ range: ClosedRange<Int>) { self.range = range }

    init?(argument: String) {
        let numbers = argument.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard let first = numbers.first ?? nil, let last = numbers.last ?? nil, numbers.count <= 2, 0 <= first,
            first <= last
        else { return nil }
        range = first...last
    }

    var description: String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound)"
    }
}
