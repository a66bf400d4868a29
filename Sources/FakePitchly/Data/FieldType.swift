/// The field types of the product (Pitchly's help pages). Only the spelling `attachment` has been
/// seen in the API; the other raw values are assumed.
package enum FieldType: String, Sendable, CaseIterable {
    case text
    case multilineText
    case number
    case boolean
    case dropdown
    case dropdownMultiple
    case date
    case currency
    case attachment
    case reference
    case referenceMultiple
    case lookup
    case createdAt
    case updatedAt
    case formula
    case rollup

    /// The older API's word. Only `string` has been seen there; the rest is assumed.
    var v2Name: String {
        switch self {
        case .text: "string"
        case .multilineText: "text"
        case .dropdown: "enum"
        case .dropdownMultiple: "enumMultiple"
        default: rawValue
        }
    }

    /// Computed by Pitchly: a write is refused.
    var isReadOnly: Bool {
        switch self {
        case .lookup, .createdAt, .updatedAt, .formula, .rollup: true
        default: false
        }
    }

    /// How often a seeded cell is empty: once in so many, 0 for never.
    var emptyOnceIn: Int {
        switch self {
        case .text, .createdAt, .updatedAt, .rollup: 0
        case .multilineText, .attachment: 5
        default: 12
        }
    }

    /// A usual name for a field of this type in a table of clients.
    var usualName: String {
        switch self {
        case .text: "Name"
        case .multilineText: "Notes"
        case .number: "Employees"
        case .boolean: "Active"
        case .dropdown: "City"
        case .dropdownMultiple: "Services"
        case .date: "Signed on"
        case .currency: "Fee"
        case .attachment: "Logo"
        case .reference: "Partner"
        case .referenceMultiple: "Team \u{1F465}"
        case .lookup: "Partner's city"
        case .createdAt: "Created At"
        case .updatedAt: "Updated At"
        case .formula: "Fee per head"
        case .rollup: "Projects \"open\""
        }
    }
}
