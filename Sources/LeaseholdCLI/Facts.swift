/// What a command says about one thing: two columns for people, one object for programs.
struct Facts {
    private var members: [(name: String, value: String?)] = []
    private var tables: [(name: String, table: Table)] = []

    init(_ members: KeyValuePairs<String, String?>) {
        self.members = members.map { ($0.key, $0.value) }
    }

    /// Shown below the facts, and in JSON as a member with an array; not shown to people if it is empty.
    mutating func add(_ name: String, _ table: Table) { tables.append((name, table)) }

    func text() -> String {
        var facts = Table(columns: ["fact", "value"])
        for (name, value) in members { facts.add([name, value]) }
        let others = tables.filter { !$0.table.isEmpty }.map { "\n\n\($0.name):\n\($0.table.text())" }
        return facts.text() + others.joined()
    }

    func json() -> String {
        let values = members.map { name, value in
            "  \(Table.jsonString(Self.key(name))): \(value.map(Table.jsonString) ?? "null")"
        }
        let arrays = tables.map { name, table in
            let lines = table.json().split(separator: "\n").joined(separator: "\n  ")
            return "  \(Table.jsonString(Self.key(name))): \(lines)"
        }
        return "{\n" + (values + arrays).joined(separator: ",\n") + "\n}"
    }

    /// `waited for its turn` is `waited_for_its_turn`.
    private static func key(_ name: String) -> String {
        String(name.map { $0 == " " ? "_" : $0 })
    }
}

extension OutputOptions {
    func show(_ facts: Facts) { print(json ? facts.json() : facts.text()) }

    /// What a command has done: a sentence, or an object.
    func say(_ sentence: String, _ members: KeyValuePairs<String, String?>) {
        print(json ? Facts(members).json() : sentence)
    }
}
