/// A JSON object in the making. Members stand in the order in which they were set.
package struct JSONObjectText: Sendable {
    private var members = ""

    package init() {}

    /// An object with one member.
    package init(_ name: String, _ value: String) { set(name, value) }

    /// The whole object.
    package var text: String { "{\(members)}" }

    package mutating func set(_ name: String, _ value: String) { set(name, json: jsonString(value)) }

    package mutating func set(_ name: String, _ value: Int) { set(name, json: String(value)) }

    /// `json` is a complete JSON value.
    package mutating func set(_ name: String, json: String) {
        if !members.isEmpty { members += "," }
        members += "\(jsonString(name)):\(json)"
    }
}

/// `text` as a JSON string with its quotes (RFC 8259 section 7).
package func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\u{0}"..."\u{1F}":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
