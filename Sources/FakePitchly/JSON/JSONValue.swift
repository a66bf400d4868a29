/// JSON as it was sent: members keep their order and numbers their spelling, so that what a client
/// wrote can be given back and compared byte by byte.
package enum JSONValue: Sendable, Equatable, CustomStringConvertible {
    case null
    case bool(Bool)
    /// The number's own text, for example `23045.50`.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    package var isNull: Bool { self == .null }

    package var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var boolValue: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    /// Nil for a number with a fraction or beyond 64 bits.
    package var intValue: Int? {
        if case .number(let text) = self { Int(text) } else { nil }
    }

    package var doubleValue: Double? {
        if case .number(let text) = self { Double(text) } else { nil }
    }

    package var arrayValue: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var objectValue: JSONObject? {
        if case .object(let object) = self { object } else { nil }
    }

    /// Null for a member that is missing or where the value is no object.
    package subscript(name: String) -> JSONValue { objectValue?[name] ?? .null }

    /// Null past the end or where the value is no array.
    package subscript(index: Int) -> JSONValue {
        guard let elements = arrayValue, elements.indices.contains(index) else { return .null }
        return elements[index]
    }

    package var description: String { text }

    /// Without any white space, members in their own order.
    package var text: String {
        var writer = JSONWriter()
        writer.value(self)
        return writer.text
    }

    /// Without any white space, members sorted by the bytes of their names: equal values of two
    /// programs give equal texts as long as they spell numbers alike.
    package var canonicalText: String { sortedByName.text }

    private var sortedByName: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.sortedByName))
        case .object(let object): .object(object.sortedByName { $0.sortedByName })
        case .null, .bool, .number, .string: self
        }
    }
}

/// The members of a JSON object in the order they were written. A name that comes twice keeps its
/// first place and its last value.
package struct JSONObject: Sendable, Equatable {
    package struct Member: Sendable, Equatable {
        package let name: String
        package var value: JSONValue
    }

    package private(set) var members: [Member] = []

    package init() {}

    package init(_ members: [(String, JSONValue)]) {
        for (name, value) in members { self[name] = value }
    }

    /// Nil where there is no such member; setting nil removes it. Linear in the number of members.
    package subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let place = members.firstIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    func sortedByName(_ transform: (JSONValue) -> JSONValue) -> JSONObject {
        var sorted = JSONObject()
        sorted.members =
            members
            .map { Member(name: $0.name, value: transform($0.value)) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return sorted
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .number(String(value)) }
    package init(floatLiteral value: Double) { self = .number(String(value)) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(JSONObject(elements)) }

    init(_ value: Int) { self = .number(String(value)) }
    init(_ value: String?) { self = value.map(JSONValue.string) ?? .null }
}
