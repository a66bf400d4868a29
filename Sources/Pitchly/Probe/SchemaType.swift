/// A type as GraphQL writes it: `[Cell!]!`.
package indirect enum SchemaType: Sendable, Equatable, CustomStringConvertible {
    case named(String)
    case list(SchemaType)
    case nonNull(SchemaType)

    package var description: String {
        switch self {
        case .named(let name): name
        case .list(let element): "[\(element)]"
        case .nonNull(let inner): "\(inner)!"
        }
    }

    /// The name inside lists and `!`.
    var name: String {
        switch self {
        case .named(let name): name
        case .list(let inner), .nonNull(let inner): inner.name
        }
    }

    var isNonNull: Bool { if case .nonNull = self { true } else { false } }

    /// Without the outermost `!`.
    var nullable: SchemaType { if case .nonNull(let inner) = self { inner } else { self } }

    /// How many lists are round the name.
    var depth: Int {
        switch self {
        case .named: 0
        case .list(let inner): 1 + inner.depth
        case .nonNull(let inner): inner.depth
        }
    }

    /// Whether a variable of this type may stand where `place` is expected (GraphQL specification,
    /// section 5.8.5). `ID` and `String` are told apart, as servers do.
    func fits(_ place: SchemaType) -> Bool {
        switch (self, place) {
        case (.nonNull(let inner), .nonNull(let placeInner)): inner.fits(placeInner)
        case (_, .nonNull): false
        case (.nonNull(let inner), _): inner.fits(place)
        case (.list(let element), .list(let placeElement)): element.fits(placeElement)
        case (.named(let name), .named(let placeName)): name == placeName
        case (.list, .named), (.named, .list): false
        }
    }
}

/// What a schema says of its types, from an introspection or from SDL.
package struct SchemaOutline: Sendable, Equatable {
    package struct Input: Sendable, Equatable {
        let type: SchemaType
        let hasDefault: Bool

        /// Must be given.
        var isNeeded: Bool { type.isNonNull && !hasDefault }
    }

    package struct Field: Sendable, Equatable {
        let type: SchemaType
        let arguments: [String: Input]
    }

    package enum Definition: Sendable, Equatable {
        case object([String: Field])
        case input([String: Input])
        /// A scalar or an enum: nothing can be selected in it.
        case leaf
    }

    /// By name; `Query` and `Mutation` may have other names.
    var types: [String: Definition] = [:]
    /// By kind of operation: `query`, `mutation`, `subscription`.
    var roots: [String: String] = [:]

    func fields(of name: String) -> [String: Field]? {
        if case .object(let fields)? = types[name] { fields } else { nil }
    }

    func inputs(of name: String) -> [String: Input]? {
        if case .input(let inputs)? = types[name] { inputs } else { nil }
    }

    /// Scalars of the language itself are in every schema, whether it lists them or not.
    func has(_ name: String) -> Bool {
        types[name] != nil || ["ID", "String", "Int", "Float", "Boolean"].contains(name)
    }
}
