import Synchronization

/// One organisation with its workspaces and tables.
package final class FakeOrganization: Sendable {
    package struct Workspace: Sendable, Equatable {
        package let id: String
        package let name: String
    }

    /// `org` and 17 characters.
    package let id: String
    package let isLarge: Bool
    package let workspaces: [Workspace]
    let person: String
    private let number: Int
    private let seed: UInt64
    private let fieldTypes: [FieldType]
    private let tableID: @Sendable (Int) -> String
    private let state: Mutex<State>

    private struct State {
        var tables: [FakeTable]
        var tablesMade: Int
    }

    init(number: Int, id: String, world: FakeWorld) {
        let shape = world.shape
        self.number = number
        self.id = id
        isLarge = number < shape.largeOrganizations
        fieldTypes = shape.fieldTypes
        let seed = SeededHash.mix(world.seed ^ SeededHash.mix(UInt64(number)))
        self.seed = seed
        let workspaceIDs = IdentifierCodec(prefix: "wks", salt: seed)
        let workspaces = (0..<shape.workspacesPerOrganization).map { place in
            Workspace(id: workspaceIDs.id(of: place), name: place == 0 ? "Main" : "Workspace \(place + 1)")
        }
        self.workspaces = workspaces
        person = IdentifierCodec(prefix: "psn", salt: seed).id(of: 0)
        let tableID: @Sendable (Int) -> String = { [world] in world.tableID(organization: number, ordinal: $0) }
        self.tableID = tableID
        let sizes = isLarge ? shape.recordsPerLargeTable : shape.recordsPerTable
        let total = min(shape.workspacesPerOrganization * shape.tablesPerWorkspace, FakeWorld.tablesPerOrganization)
        let plans = (0..<total).map { ordinal -> Plan in
            var hash = SeededHash(seed, UInt64(ordinal))
            return Plan(
                ordinal: ordinal,
                id: tableID(ordinal),
                workspace: workspaces[ordinal / max(shape.tablesPerWorkspace, 1)].id,
                name: Self.tableNames[ordinal % Self.tableNames.count],
                records: sizes.lowerBound + hash.below(sizes.count),
                seed: seed
            )
        }
        let tables = plans.enumerated().map { place, plan in
            FakeTable(plan.state(target: plans[(place + 1) % plans.count], types: shape.fieldTypes), organization: id)
        }
        state = Mutex(State(tables: tables, tablesMade: total))
    }

    package var tables: [FakeTable] { state.withLock { $0.tables } }

    package var name: String { "Organisation \(number + 1)" }

    private static let tableNames = [
        "Clients", "Projects", "Invoices \"2024\"", "People", "Größen & Maße", "提案", "Sites", "Contracts",
    ]

    /// A table that was not there when a sync began.
    func makeTable(name: String, records: Int, workspace: String?) throws(EditRefused) -> FakeTable {
        let workspace = workspaces.first { workspace == nil || $0.id == workspace }
        guard let workspace else { throw EditRefused("organisation \(id) has no such workspace") }
        return try state.withLock { state throws(EditRefused) in
            guard state.tablesMade < FakeWorld.tablesPerOrganization else {
                throw EditRefused("organisation \(id) has had all its \(FakeWorld.tablesPerOrganization) tables")
            }
            let ordinal = state.tablesMade
            let plan = Plan(
                ordinal: ordinal,
                id: tableID(ordinal),
                workspace: workspace.id,
                name: name,
                records: records,
                seed: seed
            )
            let table = FakeTable(plan.state(target: plan, types: fieldTypes), organization: id)
            state.tables.append(table)
            state.tablesMade += 1
            return table
        }
    }

    func dropTable(_ id: String) throws(EditRefused) {
        try state.withLock { state throws(EditRefused) in
            guard let place = state.tables.firstIndex(where: { $0.id == id }) else {
                throw EditRefused("organisation \(self.id) has no table \(id)")
            }
            state.tables.remove(at: place)
        }
    }

    /// A table before it is made.
    private struct Plan {
        let ordinal: Int
        let id: String
        let workspace: String
        let name: String
        let records: Int
        let seed: UInt64

        var salt: UInt64 { SeededHash.mix(seed ^ UInt64(ordinal + 1) &* 0x9E37_79B9) }
        var codec: IdentifierCodec { IdentifierCodec(prefix: "rec", salt: salt) }
        /// Of the table's first field, as ``TableState/makeField(name:type:)`` gives it.
        var primarySalt: UInt64 { SeededHash.mix(salt ^ 1) }

        func state(target: Plan, types: [FieldType]) -> TableState {
            let reference = ReferenceTarget(
                prefix: Array("\(target.workspace)|".utf8),
                records: target.codec,
                count: target.records,
                primarySalt: target.primarySalt
            )
            var state = TableState(
                id: id,
                workspace: workspace,
                records: codec,
                seededCount: records,
                salt: salt,
                target: reference,
                name: name,
                fields: [],
                fieldsMade: 0,
                nextNumber: records
            )
            for (place, type) in types.enumerated() {
                let earlier = types[..<place].count { $0 == type }
                let name = earlier == 0 ? type.usualName : "\(type.usualName) \(earlier + 1)"
                state.fields.append(state.makeField(name: name, type: type))
            }
            return state
        }
    }
}
