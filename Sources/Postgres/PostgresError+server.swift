import CLibPQ

extension PostgresError {
    /// Reads an error result of libpq, keeping only what cannot hold values.
    init(_ result: OpaquePointer, statement: String, hasParameters: Bool) {
        func field(_ name: Character) -> String? {
            guard let value = PQresultErrorField(result, Int32(name.asciiValue ?? 0)) else { return nil }
            return String(cString: value)
        }
        guard let code = field("C") else {
            // libpq itself made this result, mostly because the connection ended.
            self.init(.connectionLost, "the connection to the database ended", statement: statement, effect: .unknown)
            return
        }
        let state = SQLState(code)
        let isSafe = state.messageIsSafe(hasPosition: field("P") != nil, hasParameters: hasParameters)
        let primary = isSafe ? field("M") : nil
        let text =
            switch primary {
            case let primary? where state.isOurs: primary
            case let primary?: "\(statement) failed: \(primary) (\(state.label))"
            case nil:
                "\(statement) failed: \(state.label) "
                    + "(SQLSTATE \(code); the server's text is in its log, because it may hold values)"
            }
        let ownHint = state.errorClass == "P0" || state.isOurs ? field("H") : nil
        self.init(.server, text, hint: ownHint ?? state.hint, statement: statement)
        sqlState = code
        schema = field("s")
        table = field("t")
        column = field("c")
        constraint = field("n")
        context = Self.safeContext(field("W"))
    }

    /// The lines of CONTEXT that name functions and places in a COPY, without the quoted parts.
    private static func safeContext(_ text: String?) -> [String] {
        guard let text else { return [] }
        return text.split(whereSeparator: \.isNewline).compactMap { line in
            if line.hasPrefix("PL/pgSQL function") { return String(line) }
            // "COPY t, line 3, column b: "value"": the value stands after the colon.
            if line.hasPrefix("COPY ") { return String(line.prefix { $0 != ":" }) }
            return nil
        }
    }
}

extension SQLState {
    /// Codes that functions of the schema `leasehold` raise begin with LH; their messages are whole
    /// sentences for whoever called (`expected …, got …`) and are shown as they are.
    var isOurs: Bool { errorClass == "LH" }
}
