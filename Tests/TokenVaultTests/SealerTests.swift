import Foundation
import LeaseholdCore
import Testing

@testable import TokenVault

@Suite struct SealerTests {
    private let sealer: Sealer
    private let place: Sealer.Place
    private let tenant: TenantID

    init() throws {
        sealer = Sealer(ring: try TestKeys.ring("new", "old"))
        tenant = try TenantID("acme")
        place = Sealer.Place(tenant: tenant, column: .refreshToken, generation: 7)
    }

    @Test func opensWhatItSealed() throws {
        let cell = try sealer.seal(Secret("token"), at: place)
        #expect(try sealer.openSecret(cell, at: place) == Secret("token"))
        #expect(!String(decoding: cell, as: UTF8.self).contains("token"))
        #expect(Sealer.keyID(of: cell) == "new")
    }

    @Test func twoSealsOfOneTokenDiffer() throws {
        #expect(try sealer.seal(Secret("token"), at: place) != sealer.seal(Secret("token"), at: place))
    }

    @Test func aCellDoesNotOpenAnywhereElse() throws {
        let cell = try sealer.seal(Secret("token"), at: place)
        let elsewhere = [
            Sealer.Place(tenant: try TenantID("acme2"), column: .refreshToken, generation: 7),
            Sealer.Place(tenant: tenant, column: .accessToken, generation: 7),
            Sealer.Place(tenant: tenant, column: .spool, generation: 7),
            Sealer.Place(tenant: tenant, column: .refreshToken, generation: 8),
        ]
        for place in elsewhere {
            #expect(throws: SealError.self) { try sealer.open(cell, at: place) }
        }
    }

    @Test func everyChangedByteIsNoticed() throws {
        let cell = try sealer.seal(Secret("token"), at: place)
        for index in cell.indices {
            var damaged = cell
            damaged[index] ^= 1
            #expect(throws: SealError.self) { try sealer.open(damaged, at: place) }
        }
        for length in 0..<cell.count {
            #expect(throws: SealError.self) { try sealer.open(Array(cell.prefix(length)), at: place) }
        }
    }

    @Test func anOldKeyOpensAndTheNewestSeals() throws {
        let old = Sealer(ring: try TestKeys.ring("old"))
        let cell = try old.seal(Secret("token"), at: place)
        #expect(try sealer.openSecret(cell, at: place) == Secret("token"))
        let unaware = Sealer(ring: try TestKeys.ring("new"))
        do throws(SealError) {
            _ = try unaware.open(cell, at: place)
            Issue.record("opened without the key")
        } catch {
            #expect(error.label == "key_missing")
            #expect(error.message.contains("\"old\""))
        }
    }

    @Test func otherMaterialUnderTheSameIdDoesNotOpen() throws {
        let cell = try sealer.seal(Secret("token"), at: place)
        let stranger = Sealer(ring: try KeyRing(parsing: KeyRing.makeLine(id: "new"), source: "f"))
        #expect(throws: SealError.self) { try stranger.open(cell, at: place) }
    }

    @Test func aFingerprintNamesTheTokenWithoutHoldingIt() throws {
        let print = sealer.fingerprint(of: Secret("token"))
        #expect(print == sealer.fingerprint(of: Secret("token")))
        #expect(print != sealer.fingerprint(of: Secret("other")))
        #expect(print.hasPrefix("new:"))
        #expect(!print.contains("token"))
    }

    @Test func theKeyIsFitAfterATestSeal() throws {
        try sealer.proveUsable()
    }
}

/// Keys that are the same in every run.
enum TestKeys {
    static func ring(_ ids: String...) throws(KeyRingError) -> KeyRing {
        let lines = ids.map { id in
            let bytes = (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ id.utf8.reduce(0) { $0 &+ Int($1) }) }
            return "\(id):\(Data(bytes).base64EncodedString())"
        }
        return try KeyRing(parsing: lines.joined(separator: "\n"), source: "test keys")
    }
}
