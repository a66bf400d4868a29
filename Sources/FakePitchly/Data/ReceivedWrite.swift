/// One record that a client wrote by the API and that took effect, for the ledger of a table.
package struct ReceivedWrite: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case update
        case insert
    }

    package let kind: Kind
    /// With its prefix, whichever API it came by.
    package let record: String
    /// By field id as the client named it.
    package let cells: JSONObject
    /// Milliseconds since 1970.
    package let at: Int
}
