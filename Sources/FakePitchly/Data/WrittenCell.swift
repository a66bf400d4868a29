/// A cell that a client or an edit wrote, kept as the JSON in which it will be read again.
struct WrittenCell: Sendable {
    let value: [UInt8]
    let stringValue: [UInt8]
    /// As it was sent; null where the cell was emptied.
    let json: JSONValue

    static let empty = WrittenCell(json: .null, text: .null)

    private init(json: JSONValue, text: JSONValue) {
        self.json = json
        value = Array(json.text.utf8)
        stringValue = Array(text.text.utf8)
    }

    /// Checks `json` (`{"val": …}`) against the field's type and makes the text that Pitchly would
    /// show. A shape the type does not know is refused.
    init(_ json: JSONValue, for field: FakeField) throws(GraphQLError) {
        guard !field.type.isReadOnly else {
            throw .badInput("Field \"\(field.id)\" of type \(field.type.rawValue) is read-only.")
        }
        guard !json.isNull else {
            self = .empty
            return
        }
        guard let object = json.objectValue, let content = object["val"] else {
            throw .badInput("Value of field \"\(field.id)\" must be an object with \"val\".")
        }
        guard !content.isNull else {
            self = .empty
            return
        }
        guard let text = Self.text(of: content, object, field.type) else {
            throw .badInput("Value of field \"\(field.id)\" does not fit its type \(field.type.rawValue).")
        }
        self.init(json: json, text: text)
    }

    private static func text(of content: JSONValue, _ object: JSONObject, _ type: FieldType) -> JSONValue? {
        switch type {
        case .text, .multilineText, .dropdown, .attachment, .reference: content.stringValue.map(JSONValue.string)
        case .number: content.doubleValue == nil ? nil : .string(grouped(content.text))
        case .boolean: content.boolValue.map { .string($0 ? "Yes" : "No") }
        case .dropdownMultiple, .referenceMultiple: strings(content)
        case .date: content.stringValue.flatMap { CivilTime.day(ofISO: $0) }.map { .string(american($0)) }
        case .currency:
            content.doubleValue == nil
                ? nil
                : .string(Vocabulary.sign(ofCurrency: object["currency"]?.stringValue ?? "USD") + grouped(content.text))
        case .lookup, .createdAt, .updatedAt, .formula, .rollup: nil
        }
    }

    private static func strings(_ content: JSONValue) -> JSONValue? {
        guard let elements = content.arrayValue, elements.allSatisfy({ $0.stringValue != nil }) else { return nil }
        return content
    }

    private static func american(_ day: Int) -> String {
        var writer = JSONWriter()
        CivilTime.writeAmerican(day: day, to: &writer)
        return writer.text
    }

    /// Commas every three digits of the whole part; an exponent is left as it is.
    private static func grouped(_ number: String) -> String {
        guard !number.contains(where: { $0 == "e" || $0 == "E" }) else { return number }
        let sign = number.hasPrefix("-") ? "-" : ""
        let parts = number.drop { $0 == "-" }.split(separator: ".", maxSplits: 1)
        guard let whole = parts.first else { return number }
        var groups: [Substring] = []
        var rest = whole
        while rest.count > 3 {
            groups.insert(rest.suffix(3), at: 0)
            rest = rest.dropLast(3)
        }
        let grouped = ([rest] + groups).joined(separator: ",")
        return sign + grouped + (parts.count > 1 ? "." + parts[1] : "")
    }
}
