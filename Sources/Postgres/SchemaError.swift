import LeaseholdCore

/// The database's schema is not the one this program was built for.
package enum SchemaError: ExplainedError, Equatable {
    case tooOld(database: Int, program: Int)
    case tooNew(database: Int, newestName: String, program: Int)
    /// The text of a migration differs from the one that was applied.
    case edited(String, databaseName: String)
    case gap(version: Int, found: Int)

    package var label: String {
        switch self {
        case .tooOld: "schema_too_old"
        case .tooNew: "schema_too_new"
        case .edited: "schema_edited"
        case .gap: "schema_gap"
        }
    }

    package var message: String {
        switch self {
        case .tooOld(let database, let program):
            "expected schema version \(program), got \(database == 0 ? "a database without the schema" : "version \(database)")"
        case .tooNew(let database, let name, let program):
            "expected schema version \(program) or older, got version \(database) (\(name)): "
                + "the database was migrated by a newer program"
        case .edited(let name, let databaseName):
            name == databaseName
                ? "expected migration \(name) to be what was applied to the database, got a different text"
                : "expected migration \(name), got one called \(databaseName) in the database"
        case .gap(let version, let found):
            "expected schema version \(version) to be applied, got version \(found) in its place"
        }
    }

    package var hint: String? {
        switch self {
        case .tooOld: "leasehold migrate"
        case .tooNew: "upgrade this program to the version that migrated the database"
        case .edited: "never edit a migration that was applied: restore its text and add a new one"
        case .gap: "restore leasehold.schema_migration from a backup, or use another database"
        }
    }
}
