/// One token of a GraphQL document.
enum DocumentToken: Equatable {
    case name(String)
    /// A punctuator; `...` comes as three.
    case mark(Character)
    /// A number or a string.
    case literal
}

/// The tokens of a GraphQL document: white space, commas and comments are gone.
struct DocumentTokens {
    private(set) var all: [DocumentToken] = []

    init(_ text: String) throws(DocumentOutline.Problem) {
        var rest = text[...]
        while let first = rest.first {
            if first.isWhitespace || first == "," || first == "\u{FEFF}" {
                rest.removeFirst()
            } else if first == "#" {
                rest = rest.drop { !$0.isNewline }
            } else if first == "\"" {
                try Self.skipString(&rest)
                all.append(.literal)
            } else if first == "-" || first.isNumber {
                rest = rest.drop { Self.isNamePart($0) || "+-.".contains($0) }
                all.append(.literal)
            } else if Self.isNamePart(first) {
                let word = rest.prefix(while: Self.isNamePart)
                rest = rest.dropFirst(word.count)
                all.append(.name(String(word)))
            } else if "!$&().:=@[]{|}".contains(first) {
                all.append(.mark(first))
                rest.removeFirst()
            } else {
                throw DocumentOutline.Problem(expected: "GraphQL", got: "the character \(first)")
            }
        }
    }

    private static func isNamePart(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber) || character == "_"
    }

    private static func skipString(_ rest: inout Substring) throws(DocumentOutline.Problem) {
        let quote = rest.hasPrefix("\"\"\"") ? "\"\"\"" : "\""
        rest = rest.dropFirst(quote.count)
        // In a block string only the quotes can be escaped.
        let escape = quote.count == 3 ? "\\\"\"\"" : "\\"
        while !rest.isEmpty, quote.count == 3 || rest.first?.isNewline == false {
            if rest.hasPrefix(quote) {
                rest = rest.dropFirst(quote.count)
                return
            }
            rest = rest.dropFirst(rest.hasPrefix(escape) ? max(2, escape.count) : 1)
        }
        throw DocumentOutline.Problem(expected: "the end of a string", got: "the end of the line or of the document")
    }
}
