import Foundation

extension JSONScanner {
    /// Consumes a value and decodes it; nil for null. For answers that are small.
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws(Failure) -> Value? {
        _ = try peek()
        let range = try value()
        if bytes[range].elementsEqual("null".utf8) { return nil }
        do {
            return try JSONDecoder().decode(Value.self, from: Data(bytes[range]))
        } catch DecodingError.keyNotFound(let key, let context) {
            throw Failure(expected: "a member \(jsonPath(context.codingPath + [key]))", offset: range.lowerBound)
        } catch DecodingError.typeMismatch(let type, let context) {
            throw Failure(expected: "\(type) at \(jsonPath(context.codingPath))", offset: range.lowerBound)
        } catch DecodingError.valueNotFound(let type, let context) {
            throw Failure(expected: "\(type) at \(jsonPath(context.codingPath)), not null", offset: range.lowerBound)
        } catch {
            throw Failure(expected: "an answer of the assumed shape", offset: range.lowerBound)
        }
    }
}

private func jsonPath(_ keys: [any CodingKey]) -> String {
    (["data"] + keys.map { $0.intValue.map(String.init) ?? $0.stringValue }).joined(separator: ".")
}
