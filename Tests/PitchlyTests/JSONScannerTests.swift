import Foundation
import LeaseholdCore
import Testing

@testable import Pitchly

@Suite("The JSON scanner")
struct JSONScannerTests {
    @Test(
        "accepts every kind of value and says where it stands",
        arguments: [
            "null", "true", "false", "0", "-0", "12", "-1.5", "1e9", "1E-9", "1.25e+10", #""""#,
            #""a\"b\\\/\b\f\n\r\t""#,
            #""\u00e9\ud83d\ude00""#, "\"é😀\"", "[]", "{}", "[ 1 , [ ] , { } ]", #"{"a":{"b":[null]}}"#,
        ]
    )
    func accepts(text: String) throws {
        var scanner = JSONScanner(Array(" \n\(text)\t ".utf8))
        let range = try scanner.value()
        #expect(String(decoding: scanner.bytes[range], as: UTF8.self) == text)
        try scanner.end()
        #expect(scanner.repairs == 0)
    }

    @Test(
        "refuses what is not JSON, or more than PostgreSQL can hold",
        arguments: [
            "", "nul", "tru", "+1", "01", "-", "1.", ".5", "1e", "1e10000", "\"", "\"a", "\"\n\"", #""\x""#, #""\u12""#,
            #""\u12g4""#, "[", "[1", "[1,]", "[1 2]", "{", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "{a:1}", "nan", "'a'",
            String(repeating: "[", count: 200) + String(repeating: "]", count: 200),
            String(repeating: "9", count: 6000),
        ]
    )
    func refuses(text: String) {
        #expect(throws: JSONScanner.Failure.self) {
            var scanner = JSONScanner(Array(text.utf8))
            try scanner.value()
            try scanner.end()
        }
    }

    @Test("refuses text after the value")
    func trailing() throws {
        var scanner = JSONScanner(Array("{} x".utf8))
        try scanner.value()
        #expect(throws: JSONScanner.Failure.self) { try scanner.end() }
    }

    @Test("replaces escapes that PostgreSQL refuses, and counts them")
    func repairs() throws {
        func repaired(_ text: String) throws -> (String, Int) {
            var scanner = JSONScanner(Array(text.utf8))
            let range = try scanner.value()
            return (String(decoding: scanner.bytes[range], as: UTF8.self), scanner.repairs)
        }
        #expect(try repaired(#""a\u0000b""#) == (#""a\ufffdb""#, 1))
        #expect(try repaired(#""\ud83d""#) == (#""\ufffd""#, 1))
        #expect(try repaired(#""\ud83dx\ude00""#) == (#""\ufffdx\ufffd""#, 2))
        #expect(try repaired(#""\ud83d\ud83d\ude00""#) == (#""\ufffd\ud83d\ude00""#, 1))
        #expect(try repaired(#""\ud83d\u0041""#) == (#""\ufffd\u0041""#, 1))
        var scanner = JSONScanner(Array("\"\u{FFFD}".utf8) + [0xC3, 0x28, 0xFF] + Array("\"".utf8))
        try scanner.value()
        #expect(String(decoding: scanner.bytes, as: UTF8.self) == "\"\u{FFFD}\u{FFFD}(\u{FFFD}\"")
        #expect(scanner.repairs == 2)
    }

    private static func accepts(_ scanner: inout JSONScanner) -> Bool {
        do {
            try scanner.value()
            try scanner.end()
            return true
        } catch {
            return false
        }
    }

    @Test("agrees with Foundation on random texts, whole and damaged")
    func agreesWithFoundation() throws {
        let random = RandomSource(seed: 1)
        for round in 0..<3000 {
            var bytes = Array(RandomJSON(random).text(depth: 4).utf8)
            if round.isMultiple(of: 2), !bytes.isEmpty {
                let alphabet = Array("{}[]\",:\\u01+-.ntf ".utf8)
                bytes[Int(random.next() % UInt64(bytes.count))] = alphabet[Int(random.next() % UInt64(alphabet.count))]
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let foundation = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
            var scanner = JSONScanner(bytes)
            let accepted = Self.accepts(&scanner)
            // Foundation takes neither halves of surrogate pairs nor bytes that are not UTF-8, which
            // the scanner repairs, nor numbers beyond Double.
            if accepted, scanner.repairs == 0, !text.contains(/[eE][+-]?[0-9]{3}/) {
                #expect(foundation != nil, "\(text)")
            }
            if foundation != nil { #expect(accepted, "\(text)") }
        }
    }
}

/// Random JSON texts with every kind of value and of white space.
struct RandomJSON {
    let random: RandomSource

    init(_ random: RandomSource) { self.random = random }

    func text(depth: Int) -> String {
        switch random.next() % (depth > 0 ? 8 : 6) {
        case 0: pick(["null", "true", "false"])
        case 1: pick(["0", "-1", "3.25", "1e5", "-2.5E-3", "123456789012345"])
        case 2...5: string()
        case 6:
            "[" + (0..<random.next() % 4).map { _ in text(depth: depth - 1) }.joined(separator: pick([",", ", "])) + "]"
        default:
            "{"
                + (0..<random.next() % 4).map { "\"k\($0)\":" + pick(["", " "]) + text(depth: depth - 1) }
                .joined(separator: ",") + "}"
        }
    }

    func string() -> String {
        let parts = ["a", "é", "😀", #"\n"#, #"\""#, #"\\"#, #"\u00e9"#, #"\ud83d\ude00"#, " ", "/", "x{y}", "[,:"]
        return "\"" + (0..<random.next() % 6).map { _ in pick(parts) }.joined() + "\""
    }

    private func pick(_ choices: [String]) -> String { choices[Int(random.next() % UInt64(choices.count))] }
}
