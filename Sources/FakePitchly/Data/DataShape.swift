/// How much seeded data there is. The same shape and seed always give the same data.
package struct DataShape: Sendable {
    /// Default 25.
    package var organizations = 25
    /// How many of them, the first ones, are large; default 3.
    package var largeOrganizations = 3
    /// Default 1.
    package var workspacesPerOrganization = 1
    /// In each workspace, at most 64 in an organisation together; default 2.
    package var tablesPerWorkspace = 2
    /// In each table of an organisation that is not large; default 20 to 80.
    package var recordsPerTable = 20...80
    /// In each table of a large organisation; default 2 000 to 3 000. A million costs no memory.
    package var recordsPerLargeTable = 2_000...3_000
    /// Default: one field of every type.
    package var fieldTypes = FieldType.allCases

    package init() {}
}
