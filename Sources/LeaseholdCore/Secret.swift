/// Text that must never reach a log, an error, a metric or a process list: it describes, reflects
/// and dumps itself as `<redacted>`, and is not `Codable`, so that it cannot be encoded by accident.
///
/// Swift's `String` is not wiped when freed; this type guards against printing, not against a
/// memory dump.
package struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    package init(_ value: String) { self.value = value }

    /// The plain text. Use it at the one place that sends or seals it.
    package func reveal() -> String { value }

    package var isEmpty: Bool { value.isEmpty }
    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}
