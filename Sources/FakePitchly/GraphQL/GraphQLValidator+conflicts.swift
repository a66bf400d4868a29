/// Overlapping fields (section 5.3.2): two fields that answer under one key must be the same field
/// with the same arguments, all the way down.
extension GraphQLValidator {
    mutating func checkConflicts() {
        for operation in document.operations {
            var visits = 0
            for conflict in conflicts(in: [operation.selections], visits: &visits) {
                errors.append(
                    GraphQLError(
                        "Fields \"\(conflict.key)\" conflict because \(conflict.reason). Use different aliases on the fields to fetch both if this was intentional.",
                        at: conflict.offset
                    )
                )
            }
        }
    }

    private struct Conflict {
        let key: String
        let reason: String
        let offset: Int
    }

    /// `sets` are merged into one answer object. `visits` bounds the work on hostile documents.
    private func conflicts(in sets: [[GraphQLDocument.Selection]], visits: inout Int) -> [Conflict] {
        visits += 1
        guard visits < 2_000 else { return [] }
        var order: [String] = []
        var byKey: [String: [GraphQLDocument.Field]] = [:]
        for field in sets.flatMap({ fields(in: $0) }) {
            if byKey[field.responseKey] == nil { order.append(field.responseKey) }
            byKey[field.responseKey, default: []].append(field)
        }
        var found: [Conflict] = []
        for key in order {
            let fields = byKey[key] ?? []
            guard let first = fields.first else { continue }
            if let other = fields.first(where: { !Self.agree($0, first) }) {
                let reason =
                    first.name == other.name
                    ? "they have differing arguments" : "\"\(first.name)\" and \"\(other.name)\" are different fields"
                found.append(Conflict(key: key, reason: reason, offset: first.offset))
            } else if fields.contains(where: { !$0.selections.isEmpty }) {
                found += conflicts(in: fields.map(\.selections), visits: &visits).map { below in
                    let reason = "subfields \"\(below.key)\" conflict because \(below.reason)"
                    return Conflict(key: key, reason: reason, offset: first.offset)
                }
            }
        }
        return found
    }

    /// Object types only, so a fragment that may stand here always applies.
    private func fields(in selections: [GraphQLDocument.Selection]) -> [GraphQLDocument.Field] {
        selections.flatMap { selection -> [GraphQLDocument.Field] in
            switch selection {
            case .field(let field): return [field]
            case .inline(_, _, let selections, _): return fields(in: selections)
            case .spread(let name, _, _):
                return document.fragments.first { $0.name == name }.map { fields(in: $0.selections) } ?? []
            }
        }
    }

    private static func agree(_ left: GraphQLDocument.Field, _ right: GraphQLDocument.Field) -> Bool {
        guard left.name == right.name, left.arguments.count == right.arguments.count else { return false }
        return left.arguments.allSatisfy { argument in
            right.arguments.contains { $0.name == argument.name && Self.same($0.value, argument.value) }
        }
    }

    /// Two mentions of one variable differ only in their place.
    private static func same(_ left: GraphQLLiteral, _ right: GraphQLLiteral) -> Bool {
        switch (left, right) {
        case (.variable(let name, _), .variable(let other, _)): name == other
        case (.list(let first), .list(let second)):
            first.count == second.count && zip(first, second).allSatisfy { same($0, $1) }
        case (.object(let first), .object(let second)):
            first.count == second.count
                && first.allSatisfy { field in
                    second.contains { $0.name == field.name && same($0.value, field.value) }
                }
        default: left == right
        }
    }
}
