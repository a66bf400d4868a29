import Foundation
import Testing

@testable import LeaseholdCLI

@Suite struct OutputTests {
    @Test(arguments: [
        ("90s", 90), ("15m", 900), ("1h30m", 5400), ("2d", 172_800), ("0s", 0), ("1d1h1m1s", 90_061),
    ])
    func `A length of time is read as people write it`(text: String, seconds: Int) {
        #expect(IntervalArgument(argument: text)?.duration == .seconds(seconds))
    }

    @Test(arguments: ["", "15", "m", "1w", "1.5h", "-5m", "5 m", "15m3", "99999999999999999999s"])
    func `Anything else is no length of time`(text: String) {
        #expect(IntervalArgument(argument: text) == nil)
    }

    private var facts: Facts {
        var facts = Facts(["job": "7", "last error": "say \"no\"", "worker": nil])
        var attempts = Table(columns: ["attempt", "error"])
        attempts.add(["1", nil])
        facts.add("failed attempts", attempts)
        facts.add("none", Table(columns: ["x"]))
        return facts
    }

    @Test func `Facts are one JSON object with their tables as arrays`() throws {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(facts.json().utf8)) as? [String: Any]
        )
        #expect(object["job"] as? String == "7")
        #expect(object["last_error"] as? String == "say \"no\"")
        #expect(object["worker"] is NSNull)
        let attempts = try #require(object["failed_attempts"] as? [[String: Any]])
        #expect(attempts.count == 1)
        #expect(attempts[0]["attempt"] as? String == "1")
        #expect((object["none"] as? [Any])?.isEmpty == true)
    }

    @Test func `Facts for people leave out empty tables`() {
        #expect(facts.text().contains("failed attempts:"))
        #expect(!facts.text().contains("none:"))
    }
}
