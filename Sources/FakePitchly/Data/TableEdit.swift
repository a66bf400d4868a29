/// One change of a table, as a person or another program makes it while a sync is running.
package enum TableEdit: Sendable, Equatable {
    /// Cells by field id; the fields that are not named get seeded cells.
    case insert(cells: JSONObject)
    case update(record: String, cells: JSONObject)
    case delete(record: String)
    /// To the place before another record; nil moves it behind all others.
    case move(record: String, before: String?)
    case renameTable(String)
    case addField(name: String, type: FieldType)
    case removeField(String)
    case renameField(String, name: String)
    /// All cells of the field change, whatever was written in them.
    case retypeField(String, type: FieldType)
    /// To a place among the fields, 0 being the first.
    case moveField(String, to: Int)
}

/// What an edit named does not exist, or its JSON is not one.
package struct EditRefused: Error, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

extension TableEdit {
    /// As the control plane takes it: `{"op": "update", "record": "rec…", "cells": {"fld…": {"val": 1}}}`.
    package init(json: JSONValue) throws(EditRefused) {
        let text = { (name: String) throws(EditRefused) -> String in
            guard let text = json[name].stringValue else {
                throw EditRefused("expected a string \"\(name)\" in \(json.text.prefix(200))")
            }
            return text
        }
        let type = { () throws(EditRefused) -> FieldType in
            let name = try text("type")
            guard let type = FieldType(rawValue: name) else {
                let known = FieldType.allCases.map(\.rawValue).joined(separator: ", ")
                throw EditRefused("expected \"type\" to be one of \(known), got \"\(name)\"")
            }
            return type
        }
        let cells = json["cells"].objectValue ?? JSONObject()
        switch try text("op") {
        case "insert": self = .insert(cells: cells)
        case "update": self = .update(record: try text("record"), cells: cells)
        case "delete": self = .delete(record: try text("record"))
        case "move": self = .move(record: try text("record"), before: json["before"].stringValue)
        case "renameTable": self = .renameTable(try text("name"))
        case "addField": self = .addField(name: try text("name"), type: try type())
        case "removeField": self = .removeField(try text("field"))
        case "renameField": self = .renameField(try text("field"), name: try text("name"))
        case "retypeField": self = .retypeField(try text("field"), type: try type())
        case "moveField":
            guard let place = json["to"].intValue else { throw EditRefused("expected a number \"to\"") }
            self = .moveField(try text("field"), to: place)
        case let op: throw EditRefused("expected a known \"op\", got \"\(op)\"")
        }
    }

    package var json: JSONValue {
        switch self {
        case .insert(let cells): ["op": "insert", "cells": .object(cells)]
        case .update(let record, let cells):
            ["op": "update", "record": .string(record), "cells": .object(cells)]
        case .delete(let record): ["op": "delete", "record": .string(record)]
        case .move(let record, let before):
            ["op": "move", "record": .string(record), "before": JSONValue(before)]
        case .renameTable(let name): ["op": "renameTable", "name": .string(name)]
        case .addField(let name, let type):
            ["op": "addField", "name": .string(name), "type": .string(type.rawValue)]
        case .removeField(let field): ["op": "removeField", "field": .string(field)]
        case .renameField(let field, let name):
            ["op": "renameField", "field": .string(field), "name": .string(name)]
        case .retypeField(let field, let type):
            ["op": "retypeField", "field": .string(field), "type": .string(type.rawValue)]
        case .moveField(let field, let place):
            ["op": "moveField", "field": .string(field), "to": JSONValue(place)]
        }
    }
}
