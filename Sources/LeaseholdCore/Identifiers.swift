public import Foundation

/// Names a tenant: 1 to 128 bytes of `A-Z a-z 0-9 . _ : -`, starting with a letter or digit.
///
/// The text is chosen by the service that adds the tenant and never changes; it is safe in logs,
/// metrics and file names.
public struct TenantID: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    public let rawValue: String

    /// Nil unless `rawValue` has the shape described above.
    public init?(rawValue: String) {
        guard Self.isWellFormed(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    /// - Throws: ``InvalidName`` saying what was expected and what came.
    public init(_ text: String) throws(InvalidName) {
        guard let valid = TenantID(rawValue: text) else {
            throw InvalidName(
                what: "tenant id",
                got: text,
                expected: "1 to 128 of A-Z a-z 0-9 . _ : -, a letter or digit first"
            )
        }
        self = valid
    }

    public var description: String { rawValue }

    public static func < (left: TenantID, right: TenantID) -> Bool { left.rawValue < right.rawValue }

    private static func isWellFormed(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, bytes.count <= 128 else { return false }
        return first.isASCIILetterOrDigit && bytes.allSatisfy { $0.isASCIILetterOrDigit || ".:_-".utf8.contains($0) }
    }
}

/// Says what a job does and thereby which handler runs it, for example `pitchly.sync_table`.
///
/// 1 to 128 bytes of `a-z 0-9 . _ -`, starting with a letter.
public struct JobKind: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    public let rawValue: String

    public init?(rawValue: String) {
        guard isLowercaseName(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    /// - Throws: ``InvalidName`` saying what was expected and what came.
    public init(_ text: String) throws(InvalidName) {
        guard let valid = JobKind(rawValue: text) else {
            throw InvalidName(what: "job kind", got: text, expected: lowercaseNameRule)
        }
        self = valid
    }

    public var description: String { rawValue }

    public static func < (left: JobKind, right: JobKind) -> Bool { left.rawValue < right.rawValue }
}

/// A queue groups jobs that share workers and limits. Same shape as ``JobKind``; default `default`.
public struct QueueName: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    public let rawValue: String

    public static let `default` = QueueName(rawValue: "default")!

    public init?(rawValue: String) {
        guard isLowercaseName(rawValue) else { return nil }
        self.rawValue = rawValue
    }

    /// - Throws: ``InvalidName`` saying what was expected and what came.
    public init(_ text: String) throws(InvalidName) {
        guard let valid = QueueName(rawValue: text) else {
            throw InvalidName(what: "queue", got: text, expected: lowercaseNameRule)
        }
        self = valid
    }

    public var description: String { rawValue }

    public static func < (left: QueueName, right: QueueName) -> Bool { left.rawValue < right.rawValue }
}

/// Numbers a job, rising in the order of insertion (which is not the order of commit).
public struct JobID: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public var description: String { String(rawValue) }

    public static func < (left: JobID, right: JobID) -> Bool { left.rawValue < right.rawValue }
}

/// The fencing number of one claim of one job: a settle that carries an older one changes nothing.
public struct RunID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int64

    public init(rawValue: Int64) { self.rawValue = rawValue }

    public var description: String { String(rawValue) }
}

/// Names one life of one worker process; a restarted process gets a new one.
public struct WorkerID: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UUID

    public init(rawValue: UUID = UUID()) { self.rawValue = rawValue }

    public var description: String { rawValue.uuidString.lowercased() }
}

/// A name that has not the required shape. Carries the name, which is never secret.
public struct InvalidName: ExplainedError, Equatable {
    public let what: String
    public let got: String
    public let expected: String

    public var label: String { "invalid_name" }
    public var message: String { "expected \(what) to be \(expected), got \"\(got.prefix(140))\"" }
    public var hint: String? { nil }
}

private let lowercaseNameRule = "1 to 128 of a-z 0-9 . _ -, a letter first"

private func isLowercaseName(_ text: String) -> Bool {
    let bytes = text.utf8
    guard let first = bytes.first, bytes.count <= 128 else { return false }
    return first.isASCIILowercase
        && bytes.allSatisfy { $0.isASCIILowercase || $0.isASCIIDigit || "._-".utf8.contains($0) }
}

extension UInt8 {
    fileprivate var isASCIIDigit: Bool { self >= 0x30 && self <= 0x39 }
    fileprivate var isASCIILowercase: Bool { self >= 0x61 && self <= 0x7A }
    fileprivate var isASCIILetterOrDigit: Bool {
        isASCIIDigit || isASCIILowercase || (self >= 0x41 && self <= 0x5A)
    }
}
