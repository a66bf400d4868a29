/// One generation of Pitchly's data API: its documents and how its answers are read. Nothing else
/// in the program knows which one it talks to.
package protocol PitchlyDialect: Sendable {
    var name: DialectName { get }
    /// Every document it sends.
    static var catalog: [DialectDocument] { get }
    /// The variable that carries the access token; nil where it goes in the Authorization header.
    var tokenVariable: String? { get }
    /// Whether ``PageRequest/updatedAfter`` is heeded.
    var filtersByUpdate: Bool { get }
    /// Whether a token that is no longer good is refused in the same words as a missing permission.
    var hidesExpiry: Bool { get }

    /// The workspaces that the grant can see; nil where the API cannot list them.
    func workspaces() -> GraphQLOperation<[PitchlyWorkspace]>?
    /// The tables of a workspace, without their fields; nil if there is no such workspace.
    func tables(workspace: String) -> GraphQLOperation<PitchlyWorkspace?>
    /// A table with its fields; nil if there is no such table.
    func table(id: String) -> GraphQLOperation<PitchlyTable?>
    func page(_ request: PageRequest) -> GraphQLOperation<RecordPage>

    /// Most records of one ``update(_:table:)``.
    var writeLimit: Int { get }
    /// Sets cells of records of one table, all or, as far as is known, none; answers with their ids.
    func update(_ writes: [RecordWrite], table: String) -> GraphQLOperation<[String]>
    /// Sets cells of the row that matches, or inserts it; answers with its id. Nil where the API cannot.
    func upsert(_ write: RecordWrite, table: String) -> GraphQLOperation<[String]>?
}

package struct PitchlyWorkspace: Sendable, Equatable {
    package let id: String
    package let name: String
    /// Empty where the request did not ask for them.
    package let tables: [PitchlyTable]

    package init(id: String, name: String, tables: [PitchlyTable]) {
        self.id = id
        self.name = name
        self.tables = tables
    }
}

package struct PitchlyTable: Sendable, Equatable {
    package let id: String
    package let name: String
    /// In the order of the API; empty where the request did not ask for them.
    package let fields: [PitchlyField]

    package init(id: String, name: String, fields: [PitchlyField]) {
        self.id = id
        self.name = name
        self.fields = fields
    }
}

package struct PitchlyField: Sendable, Equatable {
    package let id: String
    package let name: String
    package let type: String

    package init(id: String, name: String, type: String) {
        self.id = id
        self.name = name
        self.type = type
    }
}

/// Which page of which table.
package struct PageRequest: Sendable {
    package let table: String
    /// Nil is the first page.
    package let cursor: String?
    /// Records; the API may give fewer.
    package let size: Int
    /// Only records that changed after it, as the API writes times; nil is all.
    package let updatedAfter: String?

    package init(table: String, cursor: String?, size: Int, updatedAfter: String? = nil) {
        self.table = table
        self.cursor = cursor
        self.size = size
        self.updatedAfter = updatedAfter
    }
}
