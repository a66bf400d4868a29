/// One GraphQL document of a dialect and what the program sends with it.
package struct DialectDocument: Sendable, Equatable {
    /// Name of its file: `platform_records.graphql`.
    package let file: String
    /// `query` or `mutation`.
    package let kind: String
    /// Variables that carry what the request is about: a document that does not declare one of them
    /// would be answered with the wrong thing.
    package let needed: Set<String>
    /// Further variables that the program may send, and that a document may do without.
    package let optional: Set<String>

    package init(_ file: String, kind: String = "query", needed: Set<String>, optional: Set<String> = []) {
        self.file = file
        self.kind = kind
        self.needed = needed
        self.optional = optional
    }

    /// Checks a text for this document without a schema.
    ///
    /// - Returns: the variables it declares.
    /// - Throws: ``PitchlySettingError`` for a text that cannot work with what the program sends.
    @discardableResult
    func check(_ text: String) throws(PitchlySettingError) -> Set<String> {
        let outline: DocumentOutline
        do {
            outline = try DocumentOutline(text)
        } catch {
            throw PitchlySettingError(
                setting: file,
                expected: "a GraphQL document with \(error.expected)",
                got: error.got
            )
        }
        guard outline.kind == kind else {
            throw PitchlySettingError(setting: file, expected: "a \(kind)", got: "a \(outline.kind)")
        }
        let declared = Set(outline.variables.map(\.name))
        guard needed.isSubset(of: declared) else {
            throw PitchlySettingError(
                setting: file,
                expected: "a \(kind) that declares \(Self.list(needed))",
                got: declared.isEmpty ? "none" : Self.list(declared)
            )
        }
        for variable in outline.variables where variable.isNeeded && !needed.contains(variable.name) {
            throw PitchlySettingError(
                setting: file,
                expected:
                    "a \(kind) whose other variables may be absent, because only \(Self.list(needed)) are always sent",
                got: "$\(variable.name) without a default"
            )
        }
        return declared
    }

    private static func list(_ names: Set<String>) -> String {
        names.sorted().map { "$\($0)" }.joined(separator: ", ")
    }
}
