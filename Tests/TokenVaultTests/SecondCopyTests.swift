import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import TokenVault

/// A reply whose commit was lost with the primary, and whose spool was lost with its disk.
@Suite struct SecondCopyTests {
    private let tenant = TenantID.numbered(0)

    @Test func theCopyOnTheOtherDiskBringsTheReplyBack() async throws {
        try await withVaultWorld { world in
            let disks = [try TemporaryFolder.make(), try TemporaryFolder.make()]
            let spool = MirroredSpool(
                try await DirectorySpool.open(path: disks[0]),
                try await DirectorySpool.open(path: disks[1]),
                logger: world.log.logger("spool")
            )
            let vault = try await world.vault(spool: spool, settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, vault)
            try await world.advance(by: .seconds(3600))
            try await world.sql("create table saved as select * from leasehold.credential")
            let good = try await vault.accessToken(for: tenant)
            try await world.sql("delete from leasehold.credential")
            try await world.sql("insert into leasehold.credential select * from saved")

            // Another machine has the second disk and nothing else.
            let moved = try TemporaryFolder.make() + "/moved"
            try FileManager.default.copyItem(atPath: disks[1], toPath: moved)
            let rescuer = try await world.vault(spool: try await DirectorySpool.open(path: moved))
            #expect(try await rescuer.replaySpools() == 1)
            #expect(try await rescuer.accessToken(for: tenant).token == good.token)
            #expect(world.fake.totals.succeeded["refresh_token"] == 1)
            try await world.expectHealthy([tenant])
        }
    }
}
