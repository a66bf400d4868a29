/// Parameters in the form that libpq takes: one buffer of bytes and, for each, where it lies.
struct EncodedParameters: Sendable {
    private struct Slot: Sendable {
        var offset: Int
        var length: Int32
        var isBinary: Bool
    }

    let types: [UInt32]
    private var slots: [Slot?] = []
    private var bytes: [UInt8] = []

    var count: Int { slots.count }

    /// - Parameter declared: the header's types; nil takes each value's own.
    init(
        _ values: [(any PostgresEncodable)?],
        declared: [StatementParameters.Parameter]?,
        statement: String
    ) throws(PostgresError) {
        if let declared, declared.count != values.count {
            throw PostgresError(
                .parameters,
                "expected \(declared.count) parameters for \(statement), got \(values.count)",
                statement: statement
            )
        }
        types = values.indices.map { index in
            declared.map { $0[index].type.rawValue }
                ?? values[index].map { Swift.type(of: $0).postgresType.rawValue } ?? 0
        }
        for (index, value) in values.enumerated() {
            guard let value else {
                slots.append(nil)
                continue
            }
            let type = PostgresType(rawValue: types[index])
            guard append(value, as: type) else {
                let place = declared.map { "\($0[index].name) ($\(index + 1))" } ?? "$\(index + 1)"
                let typeName = declared?[index].sqlType ?? type.description
                throw PostgresError(
                    .parameters,
                    "expected parameter \(place) of \(statement) to be \(typeName), "
                        + "got a \(Swift.type(of: value)) that has no such form",
                    statement: statement
                )
            }
        }
    }

    private mutating func append(_ value: any PostgresEncodable, as type: PostgresType) -> Bool {
        let offset = bytes.count
        var isBinary = true
        if !value.encode(as: type, into: &bytes) {
            // A text stands for any type; one with a NUL would be cut off there by libpq.
            guard let text = value as? String, !text.utf8.contains(0) else { return false }
            bytes.append(contentsOf: text.utf8)
            isBinary = false
        }
        guard let length = Int32(exactly: bytes.count - offset) else { return false }
        slots.append(Slot(offset: offset, length: length, isBinary: isBinary))
        bytes.append(0)  // ends a text value, and gives an empty one an address
        return true
    }

    /// Calls `body` with values, lengths and formats as `PQsendQueryParams` wants them.
    func withCArrays<R>(
        _ body: ([UnsafePointer<CChar>?], [Int32], [Int32]) -> R
    ) -> R {
        bytes.withUnsafeBytes { buffer in
            let base = buffer.bindMemory(to: CChar.self).baseAddress
            return body(
                slots.map { slot in slot.flatMap { slot in base.map { $0 + slot.offset } } },
                slots.map { $0?.length ?? 0 },
                slots.map { $0?.isBinary == true ? 1 : 0 }
            )
        }
    }
}
