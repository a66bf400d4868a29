import Foundation
import Testing

@testable import TokenVault

@Suite struct ReplyMembersTests {
    private func members(_ text: String) -> ReplyMembers? { ReplyMembers(Array(text.utf8)) }

    @Test func readsEveryKindOfMember() throws {
        let reply = try #require(
            members(
                #" {"a": "x\n\u00e9\ud83d\ude00\"", "b": 3600, "c": true, "d": null, "e": {"f": ["}"]}, "g": -1.5e2} "#
            )
        )
        #expect(reply.text("a") == "x\né😀\"")
        #expect(reply.number("b") == 3600)
        #expect(reply.members["c"] == .bool(true))
        #expect(reply.members["d"] == .null)
        #expect(reply.members["e"] == .nested)
        #expect(reply.number("g") == -150)
        #expect(reply.isWhole)
    }

    @Test(arguments: ["", "<html>", "[1]", "\"text\"", "null", "oops {"])
    func isNilForWhatIsNoObject(text: String) {
        #expect(members(text) == nil)
    }

    @Test func keepsWhatArrivedBeforeACut() throws {
        let whole = #"{"access_token":"aaa","expires_in":3600,"refresh_token":"rrr","scope":"s"}"#
        func end(of part: String) throws -> Int {
            whole.distance(from: whole.startIndex, to: try #require(whole.range(of: part)).upperBound)
        }
        let (access, expiry, refresh) = try (end(of: #""aaa""#), end(of: "3600,"), end(of: #""rrr""#))
        for length in 1..<whole.utf8.count {
            let reply = try #require(members(String(whole.prefix(length))))
            #expect(!reply.isWhole, "cut at \(length)")
            // A value counts only with its closing quote.
            #expect(reply.text("access_token") == (length >= access ? "aaa" : nil), "cut at \(length)")
            #expect(reply.text("refresh_token") == (length >= refresh ? "rrr" : nil), "cut at \(length)")
            // 36 might be the beginning of 3600.
            #expect(reply.number("expires_in") == (length >= expiry ? 3600 : nil), "cut at \(length)")
        }
    }

    @Test func takesTheLastOfTwoMembersOfOneName() throws {
        #expect(try #require(members(#"{"a":"1","a":"2"}"#)).text("a") == "2")
    }

    @Test(arguments: [
        (#"{"error":null}"#, false), (#"{"error":false}"#, false), (#"{"error":""}"#, false), (#"{"error":0}"#, false),
        (#"{}"#, false), (#"{"error":"x"}"#, true), (#"{"error":true}"#, true), (#"{"error":{"code":1}}"#, true),
        (#"{"error":["x"]}"#, true), (#"{"error":1}"#, true),
    ])
    func findsATruthyError(text: String, isTruthy: Bool) throws {
        #expect(try #require(members(text)).isTruthy("error") == isTruthy)
    }

    @Test func acceptsAByteOrderMark() throws {
        #expect(try #require(ReplyMembers([0xEF, 0xBB, 0xBF] + Array(#"{"a":"b"}"#.utf8))).text("a") == "b")
    }

    @Test(arguments: [#"{"a":"\x"}"#, #"{"a":"\ud800"}"#, "{\"a\":\"line\nbreak\"}", #"{"a":tru}"#, #"{a:1}"#])
    func stopsAtWhatIsNoJSON(text: String) throws {
        let reply = try #require(members(text))
        #expect(reply.members.isEmpty)
        #expect(!reply.isWhole)
    }

    @Test func trailingTextMakesAReplyIncomplete() throws {
        #expect(try !#require(members(#"{"a":"b"} x"#)).isWhole)
    }

    @Test func deepNestingIsGarbage() throws {
        let deep = #"{"a":"# + String(repeating: "[", count: 1000) + #", "b":"c"}"#
        #expect(try #require(members(deep)).members.isEmpty)
    }
}
