/// One walk through a document, along the types of the live schema and of the assumed one.
struct SchemaWalk {
    let live: SchemaOutline
    let assumed: SchemaOutline
    let variables: [DocumentTree.Variable]
    private(set) var differences: [SchemaDifference] = []

    init(live: SchemaOutline, assumed: SchemaOutline, variables: [DocumentTree.Variable]) {
        self.live = live
        self.assumed = assumed
        self.variables = variables
    }

    private mutating func note(_ gravity: SchemaDifference.Gravity, _ place: String, _ message: String) {
        let difference = SchemaDifference(gravity, place, message)
        if !differences.contains(difference) { differences.append(difference) }
    }

    // MARK: Variables

    /// The types of the variables, and the members of the input objects that the program fills.
    mutating func checkVariables() {
        for variable in variables {
            let name = variable.type.name
            guard live.has(name) else {
                note(.breaking, "$\(variable.name)", "has the type \(name), which the API does not have")
                continue
            }
            checkInput(name, assumed: name)
        }
    }

    private mutating func checkInput(_ name: String, assumed assumedName: String) {
        guard let sent = assumed.inputs(of: assumedName) else { return }
        guard let taken = live.inputs(of: name) else {
            return note(.breaking, name, "is no input object, assumed one with \(Self.list(sent.keys))")
        }
        for (member, input) in sent.sorted(by: { $0.key < $1.key }) {
            guard let found = taken[member] else {
                note(.breaking, "\(name).\(member)", "is missing; \(name) takes \(Self.list(taken.keys))")
                continue
            }
            if !Self.isAlike(input.type, found.type, live, assumed) {
                note(.breaking, "\(name).\(member)", "is \(found.type), assumed \(input.type)")
            } else {
                checkInput(found.type.name, assumed: input.type.name)
            }
        }
        for (member, input) in taken.sorted(by: { $0.key < $1.key }) where input.isNeeded && sent[member] == nil {
            note(.breaking, "\(name).\(member)", "must be given: \(input.type)")
        }
    }

    // MARK: Selections

    mutating func check(_ selections: [DocumentTree.Selection], on type: String, assumed assumedType: String?) {
        for selection in selections where selection.name != "__typename" {
            let place = "\(type).\(selection.name)"
            guard let fields = live.fields(of: type), let field = fields[selection.name] else {
                note(
                    .breaking,
                    place,
                    "is missing; \(type) has \(Self.list(live.fields(of: type)?.keys.map { $0 } ?? []))"
                )
                continue
            }
            let known = assumedType.flatMap { assumed.fields(of: $0)?[selection.name] }
            checkArguments(of: selection, field, place)
            checkShape(of: selection, field, known, place)
            if !selection.selections.isEmpty, live.fields(of: field.type.name) != nil {
                check(selection.selections, on: field.type.name, assumed: known?.type.name)
            }
        }
    }

    private mutating func checkArguments(
        of selection: DocumentTree.Selection,
        _ field: SchemaOutline.Field,
        _ place: String
    ) {
        for argument in selection.arguments {
            let place = "\(place)(\(argument.name):)"
            guard let input = field.arguments[argument.name] else {
                note(.breaking, place, "is missing; it takes \(Self.list(field.arguments.keys))")
                continue
            }
            guard let name = argument.variable else { continue }
            guard let variable = variables.first(where: { $0.name == name }) else {
                note(.breaking, place, "uses $\(name), which the document does not declare")
                continue
            }
            let mayLackNull = variable.hasDefault || input.hasDefault
            let wanted = mayLackNull && !variable.type.isNonNull ? input.type.nullable : input.type
            if !variable.type.fits(wanted) {
                note(.breaking, place, "takes \(input.type), the document gives it $\(name): \(variable.type)")
            }
        }
        let given = Set(selection.arguments.map(\.name))
        for (name, input) in field.arguments.sorted(by: { $0.key < $1.key })
        where input.isNeeded && !given.contains(name) {
            note(.breaking, "\(place)(\(name):)", "must be given: \(input.type)")
        }
    }

    private mutating func checkShape(
        of selection: DocumentTree.Selection,
        _ field: SchemaOutline.Field,
        _ known: SchemaOutline.Field?,
        _ place: String
    ) {
        let isLeaf = live.fields(of: field.type.name) == nil
        if isLeaf != selection.selections.isEmpty {
            return note(
                .breaking,
                place,
                isLeaf
                    ? "is \(field.type), in which nothing can be selected"
                    : "is \(field.type), of which fields must be selected"
            )
        }
        guard let known else { return }
        if known.type.depth != field.type.depth {
            note(.breaking, place, "is \(field.type), assumed \(known.type)")
        } else if isLeaf, !Self.isSameLeaf(known.type.name, field.type.name) {
            note(.doubtful, place, "is \(field.type), assumed \(known.type)")
        } else if known.type.isNonNull, !field.type.isNonNull {
            note(.nullable, place, "is \(field.type), assumed \(known.type)")
        }
    }

    // MARK: Types

    /// Both are texts in JSON.
    private static func isSameLeaf(_ left: String, _ right: String) -> Bool {
        left == right || (["ID", "String"].contains(left) && ["ID", "String"].contains(right))
    }

    /// Whether what is sent as the one type can be taken as the other: lists alike, leaves the same.
    private static func isAlike(
        _ sent: SchemaType,
        _ taken: SchemaType,
        _ live: SchemaOutline,
        _ assumed: SchemaOutline
    ) -> Bool {
        guard sent.depth == taken.depth, !(taken.isNonNull && !sent.isNonNull) else { return false }
        let areObjects = live.inputs(of: taken.name) != nil && assumed.inputs(of: sent.name) != nil
        return areObjects || isSameLeaf(sent.name, taken.name)
    }

    private static func list(_ names: some Sequence<String>) -> String {
        let sorted = names.sorted()
        guard sorted.count > 12 else { return sorted.isEmpty ? "nothing" : sorted.joined(separator: ", ") }
        return sorted.prefix(12).joined(separator: ", ") + " and \(sorted.count - 12) more"
    }
}
