import LeaseholdCore
import Testing

@Suite struct IdentifierTests {
    @Test(arguments: ["acme", "A1", "0", "acme.eu:team-7_x", String(repeating: "a", count: 128)])
    func aTenantIdOfTheStatedShapeIsTaken(text: String) throws {
        #expect(try TenantID(text).rawValue == text)
    }

    @Test(arguments: ["", ".acme", "-acme", "ac me", "acmé", "a/b", "a'b", String(repeating: "a", count: 129)])
    func anyOtherTenantIdSaysWhatWasExpectedAndWhatCame(text: String) throws {
        let error = try #require(#expect(throws: InvalidName.self) { try TenantID(text) })
        #expect(error.message.hasPrefix("expected tenant id to be 1 to 128 of"))
        #expect(error.message.contains(text.prefix(20)))
    }

    @Test(arguments: ["pitchly.sync_table", "a", "a-b.c_d9"])
    func aKindOfTheStatedShapeIsTaken(text: String) throws {
        #expect(try JobKind(text).rawValue == text)
        #expect(try QueueName(text).rawValue == text)
    }

    @Test(arguments: ["", "9a", "Pitchly", "a b", "a;drop", String(repeating: "a", count: 129)])
    func anyOtherKindOrQueueIsRefused(text: String) {
        #expect(throws: InvalidName.self) { try JobKind(text) }
        #expect(throws: InvalidName.self) { try QueueName(text) }
    }

    @Test func aLongWrongNameIsCutInTheError() throws {
        let error = try #require(
            #expect(throws: InvalidName.self) { try TenantID(String(repeating: "x", count: 10_000)) }
        )
        #expect(error.message.count < 300)
    }
}
