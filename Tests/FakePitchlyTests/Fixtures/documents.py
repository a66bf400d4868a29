"""The request documents of GraphQLVerdictTests and what graphql-core says about them.

Writes verdicts.json and introspection-*.json beside itself: `python3 documents.py`.
With `--check` it writes nothing and fails where a file differs from what it would write.
"""

import json
import pathlib
import sys

from graphql import (
    GraphQLError,
    build_schema,
    get_introspection_query,
    graphql_sync,
    introspection_from_schema,
    parse,
    validate,
)
from graphql.utilities import build_client_schema, print_schema

HERE = pathlib.Path(__file__).resolve().parent
SCHEMAS = HERE.parent.parent.parent / "Sources" / "FakePitchly" / "Schemas"

PLATFORM = {
    "shorthand": "{ organization { id } }",
    "named": "query who { viewer { person { id name email image } tier tierSettings } }",
    "alias": "{ a: organization { id } b: organization { x: id } }",
    "fragment": "query q { workspaces { ...w } } fragment w on Workspace { id tables { ...t } } "
    "fragment t on Table { id fields { id type } }",
    "inline fragment": "{ workspaces { ... on Workspace { id } ... { name } } }",
    "variables": "query r($t: ID!, $n: Int = 10, $c: String, $f: RecordFilter) "
    "{ recordsConnection(tableId: $t, first: $n, after: $c, filter: $f) { totalCount edges { cursor node { id fields "
    "{ fieldId value stringValue } } } pageInfo { hasNextPage endCursor } } }",
    "variable in an input object": "query r($t: ID!, $d: DateTime) "
    "{ recordsConnection(tableId: $t, filter: {updatedAfter: $d}) { totalCount } }",
    "mutation": "mutation u($t: ID!, $r: [UpdateRecordInput!]!) { updateRecords(tableId: $t, records: $r) { id } }",
    "mutation with literals": 'mutation { updateRecords(tableId: "t", records: [{id: "r", fields: '
    '[{fieldId: "f", value: {val: [1, 2.5, true, null, "x"]}}]}]) { id fields { fieldId } } }',
    "variable below a custom scalar": 'mutation u($v: String) { updateRecords(tableId: "t", records: [{id: "r", '
    'fields: [{fieldId: "f", value: {val: $v}}]}]) { id } }',
    "single item as list": 'mutation { updateRecords(tableId: "t", records: {id: "r", fields: {fieldId: "f", '
    "value: 1}}) { id } }",
    "integer as id": "{ table(id: 12) { id } }",
    "directives": "query q($yes: Boolean!) { organization { id @include(if: $yes) } viewer @skip(if: false) { tier } }",
    "typename": "{ __typename organization { __typename id } }",
    "introspection": get_introspection_query(),
    "type by name": '{ __type(name: "Cell") { name fields { name type { kind name ofType { name } } } } }',
    "comments and commas": "# hello\n{ organization, { id, } } # end",
    "block string": '{ table(id: """\n  one\n    two\n  """) { id } }',
    "escapes": '{ table(id: "a\\"b\\\\c\\u00e9\\n") { id } }',
    "two named operations": "query a { organization { id } } query b { viewer { tier } }",
    "same field twice": "{ organization { id } organization { __typename } }",
    "same arguments twice": '{ table(id: "a") { id } table(id: "a") { name } }',
    "unknown field": "{ organisation { id } }",
    "unknown nested field": "{ viewer { person { phone } } }",
    "unknown argument": '{ table(id: "a", name: "b") { id } }',
    "missing argument": "{ table { id } }",
    "null for a required argument": "{ table(id: null) { id } }",
    "wrong literal": "{ table(id: true) { id } }",
    "wrong int": '{ recordsConnection(tableId: "t", first: "10") { totalCount } }',
    "float for int": '{ recordsConnection(tableId: "t", first: 1.5) { totalCount } }',
    "int out of range": '{ recordsConnection(tableId: "t", first: 3000000000) { totalCount } }',
    "unknown input field": '{ recordsConnection(tableId: "t", filter: {createdAfter: "x"}) { totalCount } }',
    "missing input field": 'mutation { updateRecords(tableId: "t", records: [{id: "r"}]) { id } }',
    "scalar for input object": '{ recordsConnection(tableId: "t", filter: 3) { totalCount } }',
    "enum for string": "{ table(id: ABC) { id } }",
    "selection on a scalar": "{ organization { id { x } } }",
    "no selection on an object": "{ organization }",
    "undefined variable": "query q { table(id: $x) { id } }",
    "undefined variable in a fragment": "query q { ...f } fragment f on Query { table(id: $x) { id } }",
    "unused variable": "query q($x: ID) { organization { id } }",
    "variable of wrong type": "query q($x: String!) { table(id: $x) { id } }",
    "nullable variable": "query q($x: ID) { table(id: $x) { id } }",
    "nullable variable with a default": 'query q($x: ID = "a") { table(id: $x) { id } }',
    "list variable for a single place": "query q($x: [ID!]!) { table(id: $x) { id } }",
    "variable of unknown type": "query q($x: Nothing) { recordsConnection(tableId: $x) { totalCount } }",
    "variable of an object type": "query q($x: Table) { recordsConnection(tableId: $x) { totalCount } }",
    "same variable twice": "query q($x: ID!, $x: ID!) { table(id: $x) { id } }",
    "unknown fragment": "{ organization { ...missing } }",
    "unused fragment": "{ organization { id } } fragment f on Organization { id }",
    "fragment cycle": "{ organization { ...a } } fragment a on Organization { ...b } "
    "fragment b on Organization { id ...a }",
    "fragment on itself": "{ organization { ...a } } fragment a on Organization { id ...a }",
    "fragment on an unknown type": "{ organization { ...a } } fragment a on Nothing { id }",
    "fragment on a scalar": "{ organization { ...a } } fragment a on ID { x }",
    "fragment on another type": "{ organization { ...a } } fragment a on Table { id }",
    "inline fragment on another type": "{ organization { ... on Table { id } } }",
    "same fragment twice": "{ organization { ...a } } fragment a on Organization { id } "
    "fragment a on Organization { id }",
    "same operation twice": "query a { organization { id } } query a { organization { id } }",
    "anonymous beside another": "{ organization { id } } query a { organization { id } }",
    "conflicting fields": "{ x: organization { id } x: viewer { tier } }",
    "conflicting arguments": '{ table(id: "a") { id } table(id: "b") { id } }',
    "conflict below": "{ viewer { person { x: id } } viewer { person { x: name } } }",
    "unknown directive": "{ organization @fast { id } }",
    "misplaced directive": "query q @skip(if: true) { organization { id } }",
    "directive without its argument": "{ organization @skip { id } }",
    "directive twice": "{ organization @skip(if: true) @skip(if: false) { id } }",
    "argument twice": '{ table(id: "a", id: "a") { id } }',
    "subscription": "subscription { organization { id } }",
    "empty": "",
    "empty selection": "{ }",
    "unclosed": "{ organization { id }",
    "unclosed string": '{ table(id: "a) { id } }',
    "bad character": "{ organization ? }",
    "bad number": "{ recordsConnection(first: 01) { totalCount } }",
    "bad spread": "{ .. on Organization }",
}

V2 = {
    "databases": "query databases($secretKey: String!, $organizationId: ID!, $docDbOnly: Boolean) "
    "{ databases(secretKey: $secretKey, organizationId: $organizationId, docDbOnly: $docDbOnly) "
    "{ _id name fields { _id name type primary required restrict database } } }",
    "data": "query d($t: String!, $d: ID!, $f: JSON) { data(accessToken: $t, databaseId: $d, filter: $f, limit: 10, "
    "skip: 20) { _id cols { fieldId value } } dataCount(accessToken: $t, databaseId: $d) }",
    "insert": "mutation insertRow($secretKey: String!, $databaseId: ID!, $row: DataRowInput!) "
    "{ insertRow(secretKey: $secretKey, databaseId: $databaseId, row: $row) { _id } }",
    "delete": 'mutation { deleteRow(secretKey: "s", databaseId: "d", rowId: "r") }',
    "subscription": 'subscription { dataRowsChanged(secretKey: "s", databaseId: "d") { _id } }',
    "templates are not there": 'query { databases(secretKey: "s", organizationId: "o") { templates { path } } }',
    "selection on a boolean": 'mutation { deleteRow(secretKey: "s", databaseId: "d", rowId: "r") { ok } }',
}


def schema(name):
    return build_schema((SCHEMAS / f"{name}.graphql").read_text(encoding="utf-8"))


def verdict(schema, document):
    try:
        return [error.message for error in validate(schema, parse(document))]
    except GraphQLError as error:
        return [error.message]


def files():
    verdicts = []
    for name, documents in (("platform", PLATFORM), ("v2", V2)):
        built = schema(name)
        for title, document in documents.items():
            verdicts.append(
                {"schema": name, "title": title, "document": document, "errors": verdict(built, document)}
            )
        yield f"introspection-{name}.json", introspection_from_schema(built)
    yield "verdicts.json", verdicts


def check_introspection(path, name):
    """Rebuilds a schema from an introspection answer and compares it with the SDL."""
    answered = build_client_schema(json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["data"])
    if print_schema(answered) != print_schema(schema(name)):
        sys.exit(f"{path}: the introspected schema differs from {name}.graphql")
    graphql_sync(answered, get_introspection_query())


def main(arguments):
    if arguments[:1] == ["--introspection"]:
        return check_introspection(arguments[1], arguments[2])
    for name, content in files():
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        path = HERE / name
        if arguments == ["--check"]:
            if path.read_text(encoding="utf-8") != text:
                sys.exit(f"{name} is not what documents.py writes: run python3 {pathlib.Path(__file__).name}")
        else:
            path.write_text(text, encoding="utf-8")


main(sys.argv[1:])
