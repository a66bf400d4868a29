package import SQLFiles

/// Who does something by hand, for the log of actions (`leasehold.action`).
package struct ActionSource: Sendable, Equatable {
    package enum Via: String, Sendable {
        case page
        case api
        case command
    }

    package let via: Via
    /// At most 200 characters count.
    package let name: String

    package init(_ via: Via, _ name: String) {
        self.via = via
        self.name = name
    }
}

extension PostgresPool {
    /// Runs one statement in somebody's name.
    ///
    /// - Parameter source: nil is the login itself.
    @discardableResult
    package func query(
        as source: ActionSource?,
        _ file: SQLFile,
        _ parameters: (any PostgresEncodable)?...
    ) async throws -> PostgresRows {
        let call = PostgresCall(file, parameters: parameters)
        guard let source else { return try await query(call) }
        // One round trip, and one transaction, which the name does not outlive.
        return try await pipeline([PostgresCall(.actionSource, source.name, source.via.rawValue), call])[1]
    }
}
