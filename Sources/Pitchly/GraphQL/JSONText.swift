/// A JSON text in the making: the variables of a request.
struct JSONObjectText: Sendable {
    private var members = ""

    init() {}

    /// An object with one member.
    init(_ name: String, _ value: String) { set(name, value) }

    /// The whole object.
    var text: String { "{\(members)}" }

    mutating func set(_ name: String, _ value: String) { set(name, json: jsonString(value)) }

    mutating func set(_ name: String, _ value: Int) { set(name, json: String(value)) }

    /// `json` is a complete JSON value.
    mutating func set(_ name: String, json: String) {
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
