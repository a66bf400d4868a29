import LeaseholdCore

/// Sends rows inside ``PostgresConnection/copyIn(_:_:)``, in chunks.
///
/// Used by one task at a time, and of no use after its scope.
package final class PostgresCopyWriter {
    /// Sent when the buffer holds this much.
    private static let chunkSize = 64 * 1024
    private static let binaryHeader: [UInt8] =
        Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)

    private let connection: PostgresConnection
    private let isBinary: Bool
    private var buffer: [UInt8] = []
    private var hasTypedRows = false
    /// Rows written with ``write(row:)``.
    package private(set) var rowCount = 0

    init(connection: PostgresConnection, isBinary: Bool) {
        self.connection = connection
        self.isBinary = isBinary
    }

    /// Adds a row, one value per column.
    ///
    /// In the binary format every value must have the column's very type (`Int32` for integer,
    /// ``PostgresJSON`` for jsonb); the server converts nothing there. In the text format the server
    /// reads each value as it would read a literal.
    package func write(row values: (any PostgresEncodable)?...) async throws {
        try append(values)
        rowCount += 1
        if buffer.count >= Self.chunkSize { try await flush() }
    }

    /// Adds bytes as they are, in the format that the statement named. Not together with
    /// ``write(row:)`` in the binary format, which has a header of its own.
    package func write(bytes: some Sequence<UInt8>) async throws {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.chunkSize { try await flush() }
    }

    /// Sends what is buffered and waits until it has left this process.
    package func flush() async throws {
        guard !buffer.isEmpty else { return }
        let chunk = buffer
        buffer.removeAll(keepingCapacity: true)
        try await connection.putCopyData(chunk)
    }

    func finish() async throws {
        if isBinary, hasTypedRows { buffer.append(bigEndian: Int16(-1)) }
        try await flush()
    }

    private func append(_ values: [(any PostgresEncodable)?]) throws(PostgresError) {
        if isBinary, !hasTypedRows { buffer.append(contentsOf: Self.binaryHeader) }
        hasTypedRows = true
        let start = buffer.count
        if isBinary { buffer.append(bigEndian: Int16(values.count)) }
        for (index, value) in values.enumerated() {
            if isBinary {
                guard CopyRow.appendBinary(value, to: &buffer) else {
                    buffer.removeSubrange(start...)
                    throw .notCopyable(value, column: index)
                }
            } else {
                if index > 0 { buffer.append(UInt8(ascii: "\t")) }
                guard CopyRow.appendText(value, to: &buffer) else {
                    buffer.removeSubrange(start...)
                    throw .notCopyable(value, column: index)
                }
            }
        }
        if !isBinary { buffer.append(UInt8(ascii: "\n")) }
    }
}

/// The two forms of one field of a COPY row.
private enum CopyRow {
    static func appendBinary(_ value: (any PostgresEncodable)?, to buffer: inout [UInt8]) -> Bool {
        guard let value else {
            buffer.append(bigEndian: Int32(-1))
            return true
        }
        let lengthAt = buffer.count
        buffer.append(bigEndian: Int32(0))
        let type = type(of: value).postgresType
        guard value.encode(as: type == .unspecified ? .text : type, into: &buffer),
            let length = Int32(exactly: buffer.count - lengthAt - 4)
        else { return false }
        withUnsafeBytes(of: length.bigEndian) { buffer.replaceSubrange(lengthAt..<lengthAt + 4, with: $0) }
        return true
    }

    static func appendText(_ value: (any PostgresEncodable)?, to buffer: inout [UInt8]) -> Bool {
        guard let value else {
            buffer.append(contentsOf: #"\N"#.utf8)
            return true
        }
        guard let text = value.postgresText else { return false }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): buffer.append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\t"): buffer.append(contentsOf: #"\t"#.utf8)
            case UInt8(ascii: "\n"): buffer.append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\r"): buffer.append(contentsOf: #"\r"#.utf8)
            default: buffer.append(byte)
            }
        }
        return true
    }
}

extension PostgresError {
    fileprivate static func notCopyable(_ value: (any PostgresEncodable)?, column: Int) -> PostgresError {
        let type = value.map { String(describing: Swift.type(of: $0)) } ?? "NULL"
        return PostgresError(
            .parameters,
            "expected value \(column + 1) of a COPY row to have a form in the database, got a \(type) without one",
            statement: "copy"
        )
    }
}
