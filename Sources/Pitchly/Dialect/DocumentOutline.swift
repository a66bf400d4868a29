/// What a GraphQL document declares, read without a schema (GraphQL specification, October 2021,
/// section 2): enough to tell at the start of the program that a replaced document cannot work.
struct DocumentOutline: Equatable {
    /// `query`, `mutation` or `subscription`.
    let kind: String
    let variables: [Variable]

    struct Variable: Equatable {
        /// Without `$`.
        let name: String
        /// Non-null without a default: a request that lacks it is refused.
        let isNeeded: Bool
    }

    struct Problem: Error, Equatable {
        let expected: String
        let got: String
    }

    /// - Throws: ``Problem`` unless the text holds exactly one operation and its brackets match.
    init(_ text: String) throws(Problem) {
        let tokens = try DocumentTokens(text).all
        try Self.checkBrackets(tokens)
        let operations = Self.operations(tokens)
        guard let operation = operations.first, operations.count == 1 else {
            throw Problem(expected: "one operation", got: "\(operations.count)")
        }
        kind = operation.kind
        variables = Self.variables(tokens, from: operation.start)
    }

    private static func checkBrackets(_ tokens: [DocumentToken]) throws(Problem) {
        let closing: [Character: Character] = ["{": "}", "(": ")", "[": "]"]
        var open: [Character] = []
        for case .mark(let mark) in tokens {
            if let end = closing[mark] {
                open.append(end)
            } else if closing.values.contains(mark), open.popLast() != mark {
                throw Problem(expected: "brackets that match", got: "a \(mark) too many")
            }
        }
        if let missing = open.last { throw Problem(expected: "brackets that match", got: "no \(missing)") }
    }

    /// Operations outside every bracket. `start` is the index behind the keyword, or of the `{` of a
    /// query without one.
    private static func operations(_ tokens: [DocumentToken]) -> [(kind: String, start: Int)] {
        var found: [(kind: String, start: Int)] = []
        var depth = 0
        var isHeaded = false
        for (index, token) in tokens.enumerated() {
            switch token {
            case .mark("{"), .mark("("), .mark("["):
                if depth == 0, token == .mark("{") {
                    if !isHeaded { found.append(("query", index)) }
                    isHeaded = false
                }
                depth += 1
            case .mark("}"), .mark(")"), .mark("]"): depth -= 1
            case .name(let word) where depth == 0 && !isHeaded:
                isHeaded = true
                if ["query", "mutation", "subscription"].contains(word) { found.append((word, index + 1)) }
            default: break
            }
        }
        return found
    }

    /// `name? ( $variable : Type! = default … )` behind the keyword.
    private static func variables(_ tokens: [DocumentToken], from start: Int) -> [Variable] {
        var index = start
        if index < tokens.count, case .name = tokens[index] { index += 1 }
        guard index < tokens.count, tokens[index] == .mark("(") else { return [] }
        var variables: [Variable] = []
        var depth = 0
        var name: String?
        var isNeeded = false
        func finish() {
            if let name { variables.append(Variable(name: name, isNeeded: isNeeded)) }
        }
        while index < tokens.count {
            switch tokens[index] {
            case .mark("("), .mark("["), .mark("{"): depth += 1
            case .mark(")"), .mark("]"), .mark("}"): depth -= 1
            case .mark("$") where depth == 1:
                finish()
                if index + 1 < tokens.count, case .name(let next) = tokens[index + 1] { name = next }
                isNeeded = false
            case .mark("!") where depth == 1: isNeeded = true
            case .mark("=") where depth == 1: isNeeded = false
            default: break
            }
            if depth == 0 { break }
            index += 1
        }
        finish()
        return variables
    }
}
