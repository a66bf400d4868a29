import Testing

@testable import FakePitchly

@Suite struct ValueTests {
    @Test func jsonComesBackAsItWasSent() throws {
        let text = #"{"b":[1,-0.50,1e+3,null,true,false],"a":{"é\"\\\n\u0001":"👩‍👧"},"":[],"n":23045.50}"#
        #expect(try JSONParser.parse(text).text == text)
        #expect(try JSONParser.parse(#"{"b":1,"a":{"z":1,"y":2}}"#).canonicalText == #"{"a":{"y":2,"z":1},"b":1}"#)
        #expect(try JSONParser.parse(#""\ud83d\ude00\u00e9\/""#) == "😀é/")
        #expect(try JSONParser.parse(#"{"a":1,"a":2}"#) == ["a": 2])
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":}", "{\"a\":1,}", "01", "1.", "1e", "+1", "nul", "\"\u{1}\"", "\"\\x\"", "\"\\ud800\"",
        "\"a", "[1] 2", "{a:1}", "'a'",
    ])
    func malformedJSONIsRefused(text: String) {
        #expect(throws: JSONParser.Malformed.self) { try JSONParser.parse(text) }
    }

    @Test func deepNestingIsRefusedAndNotACrash() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONParser.Malformed.self) { try JSONParser.parse(deep) }
        let query = String(repeating: "{a", count: 100_000)
        #expect(throws: GraphQLError.self) { try GraphQLParser.parseRequest(query) }
    }

    @Test func daysAndTimesAreThoseOfTheCalendar() {
        for (text, day) in [("1970-01-01", 0), ("2000-02-29", 11_016), ("2024-03-15", 19_797), ("1969-12-31", -1)] {
            #expect(CivilTime.day(ofISO: text) == day)
        }
        for day in stride(from: -1_000, through: 40_000, by: 7) {
            let date = CivilTime.date(ofDay: day)
            #expect(CivilTime.day(year: date.year, month: date.month, day: date.day) == day)
        }
        for wrong in ["2023-02-29", "2024-13-01", "2024-1-01", "2024-00-10", "x", ""] {
            #expect(CivilTime.day(ofISO: wrong) == nil)
        }
        let noon = 1_710_504_000_000
        for text in [
            "2024-03-15T12:00:00Z", "2024-03-15T12:00:00.000Z", "2024-03-15T13:30:00+01:30",
            "2024-03-15T12:00:00.0004999Z",
        ] { #expect(CivilTime.milliseconds(ofISO: text) == noon, "\(text)") }
        for wrong in ["2024-03-15", "2024-03-15T12:00:00", "2024-03-15T25:00:00Z", "2024-03-15T12:00Z"] {
            #expect(CivilTime.milliseconds(ofISO: wrong) == nil, "\(wrong)")
        }
        #expect(CivilTime.iso(milliseconds: noon + 7) == "2024-03-15T12:00:00.007Z")
        #expect(HTTPDate.text(milliseconds: noon) == "Fri, 15 Mar 2024 12:00:00 GMT")
        #expect(HTTPDate.text(milliseconds: 784_111_777_000) == "Sun, 06 Nov 1994 08:49:37 GMT")
    }

    @Test func theExampleOfRFC7636IsAccepted() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        let pkce = PKCE(method: .sha256, challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
        #expect(pkce.accepts(verifier: verifier))
        #expect(!pkce.accepts(verifier: verifier + "a"))
        #expect(PKCE(method: .plain, challenge: verifier).accepts(verifier: verifier))
        #expect(!PKCE.isWellFormed(String(repeating: "a", count: 42)))
        #expect(PKCE.isWellFormed(String(repeating: "~", count: 128)))
        #expect(!PKCE.isWellFormed(String(repeating: "a", count: 129)))
    }

    @Test func formsAreDecoded() throws {
        let form = try #require(FormFields("a=1&b=x+y%26%C3%A9&c&a=2&=e".utf8))
        #expect(form["a"] == "1" && form["b"] == "x y&é" && form["c"] == "" && form[""] == "e" && form["d"] == nil)
        #expect(form.repeated == "a")
        for wrong in ["a=%", "a=%1", "a=%zz", "a=%ff"] { #expect(FormFields(wrong.utf8) == nil, "\(wrong)") }
        #expect(FormFields.encode("a b&é/~") == "a%20b%26%C3%A9%2F~")
    }

    @Test func aBucketRefillsWithTime() {
        let limiter = RateLimiter(RateLimit(perSecond: 10, burst: 3))
        let start = ContinuousClock.now
        let passed = (0..<5).map { _ in limiter.refuse("a", now: start) == nil }
        #expect(passed == [true, true, true, false, false])
        #expect(limiter.refuse("b", now: start) == nil, "another name has a bucket of its own")
        #expect(limiter.refuse("a", now: start + .milliseconds(100)) == nil)
        #expect(limiter.refuse("a", now: start + .milliseconds(100)) == 1)
    }
}
