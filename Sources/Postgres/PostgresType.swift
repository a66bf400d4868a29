/// A type of the database by its number, with the names of the built-in ones.
package struct PostgresType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Left to the server to find out from the place of the parameter.
    package static let unspecified = PostgresType(rawValue: 0)
    package static let bool = PostgresType(rawValue: 16)
    package static let bytea = PostgresType(rawValue: 17)
    package static let char = PostgresType(rawValue: 18)
    package static let name = PostgresType(rawValue: 19)
    package static let int8 = PostgresType(rawValue: 20)
    package static let int2 = PostgresType(rawValue: 21)
    package static let int4 = PostgresType(rawValue: 23)
    package static let text = PostgresType(rawValue: 25)
    package static let oid = PostgresType(rawValue: 26)
    package static let json = PostgresType(rawValue: 114)
    package static let float4 = PostgresType(rawValue: 700)
    package static let float8 = PostgresType(rawValue: 701)
    package static let unknown = PostgresType(rawValue: 705)
    package static let bpchar = PostgresType(rawValue: 1042)
    package static let varchar = PostgresType(rawValue: 1043)
    package static let inet = PostgresType(rawValue: 869)
    package static let date = PostgresType(rawValue: 1082)
    package static let time = PostgresType(rawValue: 1083)
    package static let timestamp = PostgresType(rawValue: 1114)
    package static let interval = PostgresType(rawValue: 1186)
    package static let timestamptz = PostgresType(rawValue: 1184)
    package static let numeric = PostgresType(rawValue: 1700)
    package static let void = PostgresType(rawValue: 2278)
    package static let uuid = PostgresType(rawValue: 2950)
    package static let jsonb = PostgresType(rawValue: 3802)

    /// The element's type if this is one of the built-in array types.
    package var element: PostgresType? { Self.elements[self] }

    /// The array type with this element, for the built-in types.
    package var array: PostgresType? { Self.arrays[self] }

    /// Whether the binary form is the text itself.
    var isText: Bool {
        switch self {
        case .text, .varchar, .bpchar, .name, .unknown, .json, .char: true
        default: false
        }
    }

    /// A type that a database made itself: an enum, a domain's base is reported instead.
    var isUserDefined: Bool { rawValue >= 16384 }

    private static let arrays: [PostgresType: PostgresType] = [
        .bool: .init(rawValue: 1000), .bytea: .init(rawValue: 1001), .char: .init(rawValue: 1002),
        .name: .init(rawValue: 1003), .int2: .init(rawValue: 1005), .int4: .init(rawValue: 1007),
        .text: .init(rawValue: 1009), .bpchar: .init(rawValue: 1014), .varchar: .init(rawValue: 1015),
        .int8: .init(rawValue: 1016), .float4: .init(rawValue: 1021), .float8: .init(rawValue: 1022),
        .oid: .init(rawValue: 1028), .json: .init(rawValue: 199), .timestamptz: .init(rawValue: 1185),
        .inet: .init(rawValue: 1041), .date: .init(rawValue: 1182), .time: .init(rawValue: 1183),
        .timestamp: .init(rawValue: 1115), .interval: .init(rawValue: 1187), .numeric: .init(rawValue: 1231),
        .uuid: .init(rawValue: 2951), .jsonb: .init(rawValue: 3807),
    ]

    private static let elements = Dictionary(uniqueKeysWithValues: arrays.map { ($1, $0) })
}

extension PostgresType: CustomStringConvertible {
    /// As SQL writes it; `type 16500` for one that is not built in.
    package var description: String {
        if let element { return "\(element)[]" }
        return Self.names[self] ?? "type \(rawValue)"
    }

    /// The type that SQL calls `sqlName`, in any of its spellings; nil if it is none of those known
    /// here.
    init?(sqlName: String) {
        let name = sqlName.lowercased()
        if name.hasSuffix("[]") {
            guard let element = PostgresType(sqlName: String(name.dropLast(2))), let array = element.array else {
                return nil
            }
            self = array
            return
        }
        guard let type = Self.byName[name] else { return nil }
        self = type
    }

    private static let names: [PostgresType: String] = [
        .unspecified: "an unspecified type", .bool: "boolean", .bytea: "bytea", .char: "\"char\"", .name: "name",
        .int8: "bigint", .int2: "smallint", .int4: "integer", .text: "text", .oid: "oid", .json: "json",
        .float4: "real", .float8: "double precision", .unknown: "unknown", .bpchar: "character",
        .varchar: "character varying", .timestamptz: "timestamptz", .numeric: "numeric", .void: "void",
        .uuid: "uuid", .jsonb: "jsonb", .inet: "inet", .date: "date", .time: "time", .timestamp: "timestamp",
        .interval: "interval",
    ]

    private static let aliases: [String: PostgresType] = [
        "bool": .bool, "int8": .int8, "int2": .int2, "int4": .int4, "int": .int4, "float4": .float4,
        "float8": .float8, "varchar": .varchar, "char": .bpchar, "decimal": .numeric,
        "timestamp with time zone": .timestamptz,
    ]

    private static let byName = aliases.merging(names.map { ($1, $0) }) { alias, _ in alias }
}
