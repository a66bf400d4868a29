/// An error that a person can act on. Every error that leaves a module of Leasehold has this shape.
///
/// No part of it may hold a secret or a bound SQL value: the texts go to logs, the `last_error`
/// column and the terminal.
public protocol ExplainedError: Error, CustomStringConvertible {
    /// A name without any variable part, for metrics and for grouping: `lease_lost`.
    var label: String { get }
    /// What was expected and what came.
    var message: String { get }
    /// What to do, where there is something to do; a whole command where one helps.
    var hint: String? { get }
}

extension ExplainedError {
    public var description: String {
        guard let hint else { return message }
        return "\(message) (try: \(hint))"
    }
}

/// The label of any error: its own where it is an ``ExplainedError``, else the name of its type.
public func errorLabel(_ error: any Error) -> String {
    if let explained = error as? any ExplainedError { return explained.label }
    if error is CancellationError { return "cancelled" }
    return String(describing: type(of: error))
}

/// A text of any error that is safe to show: foreign errors give only the name of their type,
/// because nothing is known about what their description holds.
public func errorText(_ error: any Error) -> String {
    if let explained = error as? any ExplainedError { return explained.description }
    if error is CancellationError { return "cancelled" }
    return "unexpected error of type \(String(reflecting: type(of: error)))"
}
