import CLibPQ
import LeaseholdCore

/// The answer to one statement. Holds the whole answer in memory; large reads go through
/// ``PostgresConnection/copyOut(_:body:)``.
package struct PostgresRows: RandomAccessCollection, Sendable {
    let answer: Answer

    package var startIndex: Int { 0 }
    package var endIndex: Int { answer.rowCount }
    package subscript(position: Int) -> PostgresRow { PostgresRow(answer: answer, index: position) }

    /// Rows that INSERT, UPDATE, DELETE, MERGE or COPY touched, or that SELECT returned.
    package let affectedRows: Int

    /// The columns' names, in order.
    package var columns: [String] { answer.columns.map(\.name) }

    /// The columns' types as SQL names them, in order.
    package var columnTypes: [String] { answer.columns.map(\.type.description) }

    /// Every row by position: `try rows.decode((Int64, String?).self)`.
    package func decode<each Value: PostgresDecodable>(
        _ types: (repeat each Value).Type = (repeat each Value).self
    ) throws(PostgresError) -> [(repeat each Value)] {
        var result: [(repeat each Value)] = []
        result.reserveCapacity(count)
        for row in self { result.append(try row.decode(types)) }
        return result
    }

    /// The only row.
    ///
    /// - Throws: ``PostgresError`` unless there is exactly one.
    package var only: PostgresRow {
        get throws(PostgresError) {
            guard count == 1 else {
                throw PostgresError(
                    .decoding,
                    "expected one row from \(answer.statement), got \(count)",
                    statement: answer.statement
                )
            }
            return self[0]
        }
    }
}

/// One row of an answer; keeps the whole answer alive.
package struct PostgresRow: Sendable {
    let answer: Answer
    let index: Int

    /// The value of the column called `column`.
    ///
    /// - Throws: ``PostgresError`` naming the column, what was expected and what type came.
    package func decode<Value: PostgresDecodable>(
        _ column: String,
        as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard let position = answer.position(of: column) else {
            let known = answer.columns.map(\.name).joined(separator: ", ")
            throw .decoding(column, expected: "there", got: "only \(known)", statement: answer.statement)
        }
        return try value(at: position)
    }

    /// The value at `position`, from 0.
    package func decode<Value: PostgresDecodable>(
        _ position: Int,
        as type: Value.Type = Value.self
    ) throws(PostgresError) -> Value {
        guard answer.columns.indices.contains(position) else {
            throw .decoding(
                "#\(position)",
                expected: "there",
                got: "\(answer.columns.count) columns",
                statement: answer.statement
            )
        }
        return try value(at: position)
    }

    /// The first columns by position: `let (id, name) = try row.decode((Int64, String?).self)`.
    package func decode<each Value: PostgresDecodable>(
        _ types: (repeat each Value).Type = (repeat each Value).self
    ) throws(PostgresError) -> (repeat each Value) {
        var position = -1
        func next<Next: PostgresDecodable>(_ type: Next.Type) throws(PostgresError) -> Next {
            position += 1
            return try decode(position, as: type)
        }
        return (repeat try next((each Value).self))
    }

    private func value<Value: PostgresDecodable>(at position: Int) throws(PostgresError) -> Value {
        let value = answer.value(row: index, column: position)
        do {
            return try Value.decode(value)
        } catch {
            let column = answer.columns[position].name
            let got =
                switch error {
                case .null: "NULL"
                case .type: value.type.description
                case .value(let kind): kind
                case .malformed: "a malformed \(value.type)"
                }
            throw .decoding(column, expected: "\(Value.self)", got: got, statement: answer.statement)
        }
    }
}

/// Owns a `PGresult`.
///
/// Unchecked because of the pointer: a finished result is never changed, only read.
final class Answer: @unchecked Sendable {
    private let result: OpaquePointer
    let statement: String
    let columns: [(name: String, type: PostgresType)]
    let rowCount: Int

    init(_ result: OpaquePointer, statement: String) {
        self.result = result
        self.statement = statement
        rowCount = Int(PQntuples(result))
        columns = (0..<PQnfields(result)).map { column in
            (
                name: PQfname(result, column).map { String(cString: $0) } ?? "",
                type: PostgresType(rawValue: PQftype(result, column))
            )
        }
    }

    deinit { PQclear(result) }

    var affectedRows: Int {
        guard let text = PQcmdTuples(result) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// The command's tag, like `COMMIT` or `INSERT 0 1`.
    var commandTag: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    func position(of column: String) -> Int? {
        columns.firstIndex { $0.name == column }
    }

    func value(row: Int, column: Int) -> PostgresValue {
        let (row, column) = (Int32(row), Int32(column))
        var bytes: UnsafeRawBufferPointer?
        if PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) {
            bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
        }
        return PostgresValue(type: columns[Int(column)].type, bytes: bytes)
    }
}

extension PostgresRows {
    init(_ answer: Answer) {
        self.answer = answer
        affectedRows = answer.affectedRows
    }
}
