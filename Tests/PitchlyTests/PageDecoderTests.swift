import Foundation
import LeaseholdCore
import Testing

@testable import Pitchly

@Suite("A page of records")
struct PageDecoderTests {
    private let dialect: PlatformDialect

    init() throws { dialect = try PlatformDialect() }

    private func page(_ data: String) throws -> RecordPage {
        let operation = dialect.page(PageRequest(table: "t", cursor: nil, size: 10))
        guard case .data(let page) = try GraphQLAnswer(Array("{\"data\":\(data)}".utf8), for: operation) else {
            throw JSONScanner.Failure(expected: "data", offset: 0)
        }
        return page
    }

    private func connection(_ nodes: String, info: String = #"{"hasNextPage":false,"endCursor":null}"#) -> String {
        #"{"recordsConnection":{"edges":[\#(nodes)],"pageInfo":\#(info),"totalCount":7}}"#
    }

    private func node(_ id: String, _ cells: String) -> String {
        #"{"node":{"id":"\#(id)","fields":[\#(cells)]}}"#
    }

    private func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    @Test("keeps each value as it came, by field id, in the order of the ids")
    func canonicalFields() throws {
        let cells = #"""
            {"fieldId":"w|b","value":{"val":2300},"stringValue":"2,300"},
            {"stringValue":"x","value":{"val":"x"},"fieldId":"w|a"},
            {"fieldId":"w|c","value":{"odd":[1, {"deep": null}]},"stringValue":null},
            {"fieldId":"w|d","value":null,"stringValue":null}
            """#
        let page = try page(connection(node("rec1", cells)))
        let record = try #require(page.records.first)
        #expect(record.id == "rec1")
        #expect(
            text(record.fields)
                == #"{"w|a":{"val":"x"},"w|b":{"val":2300},"w|c":{"odd":[1, {"deep": null}]},"w|d":null}"#
        )
        #expect(text(record.labels) == #"{"w|b":"2,300","w|c":null}"#)
        #expect(page.nextCursor == nil)
        #expect(page.totalCount == 7)
    }

    @Test("stores a label only where it is not the value's val, so that nothing is lost or kept twice")
    func labels() throws {
        func label(_ value: String, _ label: String) throws -> String? {
            let cell = #"{"fieldId":"f","value":\#(value),"stringValue":\#(label)}"#
            return text(try page(connection(node("r", cell))).records[0].labels)
        }
        #expect(try label(#"{"val":"a"}"#, #""a""#) == nil)
        #expect(try label(#"{"val":["a","b"]}"#, #"["a","b"]"#) == nil)
        #expect(try label(#"{"val":"u","type":"image/png"}"#, #""u""#) == nil)
        #expect(try label("null", "null") == nil)
        #expect(try label(#"{"val":12}"#, "1") == #"{"f":1}"#)
        #expect(try label(#"{"val":true}"#, #""Yes""#) == #"{"f":"Yes"}"#)
        #expect(try label("null", #""shown""#) == #"{"f":"shown"}"#)
        #expect(try label(#"{"val":"a"}"#, "null") == #"{"f":null}"#)
    }

    @Test("has the same hash whatever the order of its cells, and another when anything differs")
    func hash() throws {
        let a = #"{"fieldId":"a","value":{"val":1},"stringValue":"1"}"#
        let b = #"{"fieldId":"b","value":{"val":2},"stringValue":"2"}"#
        func hash(_ cells: String) throws -> [UInt8] { try page(connection(node("r", cells))).records[0].contentHash }
        let reference = try hash("\(a),\(b)")
        #expect(reference.count == 16)
        #expect(try hash("\(b),\(a)") == reference)
        #expect(try hash("\(a)") != reference)
        #expect(try hash("\(a),\(b.replacing("\"2\"", with: "\"two\""))") != reference)
        #expect(try hash("\(a),\(b.replacing(":2}", with: ":3}"))") != reference)
    }

    @Test("takes the later of two cells of one field")
    func repeatedCell() throws {
        let cells =
            #"{"fieldId":"a","value":1,"stringValue":"x"},{"fieldId":"a","value":{"val":"y"},"stringValue":"y"}"#
        let record = try page(connection(node("r", cells))).records[0]
        #expect(text(record.fields) == #"{"a":{"val":"y"}}"#)
        #expect(record.labels == nil)
    }

    @Test("reads cursors, also before the records and with escapes")
    func cursors() throws {
        let data =
            #"{"recordsConnection":{"totalCount":null,"pageInfo":{"endCursor":"a\/\u00e9","hasNextPage":true},"edges":[]}}"#
        let page = try page(data)
        #expect(page.nextCursor == "a/é")
        #expect(page.totalCount == nil)
        #expect(page.records.isEmpty)
    }

    @Test("gives no further page when there is none, even with a cursor")
    func lastPage() throws {
        let page = try page(connection("", info: #"{"hasNextPage":false,"endCursor":"abc"}"#))
        #expect(page.nextCursor == nil)
    }

    @Test("counts the characters that were replaced")
    func repairs() throws {
        let page = try page(connection(node("r", #"{"fieldId":"a","value":{"val":"x\u0000"}}"#)))
        #expect(page.repairs == 1)
        #expect(text(page.records[0].fields) == #"{"a":{"val":"x\ufffd"}}"#)
    }

    @Test(
        "is refused where the shape is not the assumed one, never taken for an empty page",
        arguments: [
            "null", "{}", #"{"recordsConnection":null}"#,
            #"{"recordsConnection":{"edges":null,"pageInfo":{"hasNextPage":false}}}"#,
            #"{"recordsConnection":{"edges":[]}}"#,
            #"{"recordsConnection":{"edges":[],"pageInfo":{"hasNextPage":true,"endCursor":null}}}"#,
            #"{"recordsConnection":{"edges":[null],"pageInfo":{"hasNextPage":false}}}"#,
            #"{"recordsConnection":{"edges":[{"node":{"fields":[]}}],"pageInfo":{"hasNextPage":false}}}"#,
            #"{"recordsConnection":{"edges":[{"node":{"id":"r","fields":[{"value":1}]}}],"pageInfo":{"hasNextPage":false}}}"#,
            #"{"recordsConnection":{"edges":[{"node":{"id":null,"fields":[]}}],"pageInfo":{"hasNextPage":false}}}"#,
        ]
    )
    func unknownShape(data: String) {
        #expect(throws: JSONScanner.Failure.self) { try page(data) }
    }

    @Test("is read by another layout without a build")
    func otherLayout() throws {
        let layout = try JSONDecoder().decode(
            PageLayout.self,
            from: Data(
                #"{"list":["data"],"record":[],"recordID":"_id","cells":"cols","cellField":"fieldId","cellValue":"value"}"#
                    .utf8
            )
        )
        var scanner = JSONScanner(
            Array(#"{"data":[{"_id":"r1","cols":[{"fieldId":"f","value":{"val":1}}]},{"_id":"r2","cols":null}]}"#.utf8)
        )
        let page = try PageDecoder(layout).page(&scanner)
        #expect(page.records.map(\.id) == ["r1", "r2"])
        #expect(page.records.map { String(decoding: $0.fields, as: UTF8.self) } == [#"{"f":{"val":1}}"#, "{}"])
    }

    @Test("means what a JSON decoder reads, for random cells")
    func agreesWithFoundation() throws {
        let random = RandomSource(seed: 2)
        let source = RandomJSON(random)
        for _ in 0..<300 {
            let count = Int(random.next() % 6)
            let values = (0..<count).map { _ in source.text(depth: 3) }
            let cells = values.enumerated().map { #"{"fieldId":"f\#($0)","value":\#($1)}"# }.shuffled()
            let record = try page(connection(node("r", cells.joined(separator: ",")))).records[0]
            let expected = "{" + values.enumerated().map { #""f\#($0)":\#($1)"# }.joined(separator: ",") + "}"
            let left = try JSONSerialization.jsonObject(with: Data(record.fields)) as? NSDictionary
            let right = try JSONSerialization.jsonObject(with: Data(expected.utf8)) as? NSDictionary
            #expect(left != nil && left == right, "\(expected)")
        }
    }
}
