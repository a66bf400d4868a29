import Synchronization

/// All organisations of the fake. They are made when first asked for, so that ten thousand cost
/// nothing until they are used.
final class FakeWorld: Sendable {
    let shape: DataShape
    let seed: UInt64
    private let organizationIDs: IdentifierCodec
    private let tableIDs: IdentifierCodec
    private let organizations = Mutex<[Int: FakeOrganization]>([:])

    static let tablesPerOrganization = 64

    init(shape: DataShape, seed: UInt64) {
        self.shape = shape
        self.seed = seed
        organizationIDs = IdentifierCodec(prefix: "org", salt: SeededHash.mix(seed ^ 0x0126))
        tableIDs = IdentifierCodec(prefix: "tbl", salt: SeededHash.mix(seed ^ 0x7AB1E))
    }

    var allOrganizationIDs: [String] { (0..<shape.organizations).map(organizationIDs.id(of:)) }

    /// An id with or without its prefix; nil for one that this fake never gave.
    func organizationID(_ text: String) -> String? {
        let number = organizationIDs.number(of: text) ?? organizationIDs.number(ofSuffix: Array(text.utf8))
        guard let number, number >= 0, number < shape.organizations else { return nil }
        return organizationIDs.id(of: number)
    }

    func organization(_ text: String) -> FakeOrganization? {
        guard let id = organizationID(text), let number = organizationIDs.number(of: id) else { return nil }
        return organizations.withLock { organizations in
            if let known = organizations[number] { return known }
            let made = FakeOrganization(number: number, id: id, world: self)
            organizations[number] = made
            return made
        }
    }

    /// A table by its id, with or without its prefix.
    func table(_ text: String) -> FakeTable? {
        let number = tableIDs.number(of: text) ?? tableIDs.number(ofSuffix: Array(text.utf8))
        guard let number, number >= 0 else { return nil }
        let owner = number / Self.tablesPerOrganization
        guard owner < shape.organizations else { return nil }
        return organization(organizationIDs.id(of: owner))?.tables.first { $0.id == tableIDs.id(of: number) }
    }

    func tableID(organization: Int, ordinal: Int) -> String {
        tableIDs.id(of: organization * Self.tablesPerOrganization + ordinal)
    }
}
