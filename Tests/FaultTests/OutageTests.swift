import FakePitchly
import FaultKit
import Foundation
import TestSupport
import Testing

extension FaultTests {
    /// What an exchange cannot do without is missing: room on a disk, keys.
    @Suite struct OutageTests {
        @Test func withoutRoomForTheAnswerItIsSavedFromMemory() async throws {
            let outcome = try await play([.diskFull, .diskFull, .diskFull])
            outcome.expectKept()
            for result in outcome.results {
                #expect(result.posts == 1)
                #expect(result.lines.map(\.outcome) == ["saved"])
            }
        }

        @Test(.enabled(if: SmallDisk.isAllowed, "mounting a small file system takes root and CAP_SYS_ADMIN"))
        func onAFullDiskTheReservedRoomIsUsedUpAndThenNothingIsSent() async throws {
            // Two for the entries that are there from the start, two for those that come later.
            try await SmallDisk.with(megabytes: 5) { disk in
                try await stage(
                    {
                        $0.tenants = 40
                        $0.workers = 1
                        // What is doubtful needs room too, so nothing may become it on a busy machine.
                        $0.deadline = 60
                        $0.exchangesPerWorker = 4
                        $0.spoolFolder = disk.path
                    },
                    { stage in
                        let connects = stage.provider.totals.posts
                        try await stage.rotateAll()
                        try disk.fill()
                        // Room for 256 entries was taken when there was some.
                        for _ in 0..<3 { try await stage.rotateAll() }
                        #expect(disk.isFull)
                        let nudging = Task {
                            while !Task.isCancelled {
                                try await stage.database.nudge(stage.tenants)
                                try await ContinuousClock().sleep(for: .milliseconds(100))
                            }
                        }
                        defer { nudging.cancel() }
                        try await stage.waitForLog("No space left on device")
                        // Nobody is worse off: the tokens of all are where they were.
                        try await stage.waitUntil("nothing is open") { $0.allSatisfy(\.isHealthy) }
                        // Every answer found its room, and nothing was sent for which there was none: each
                        // takes an entry for good, and one more while it is out.
                        let posts = stage.provider.totals.posts - connects
                        #expect((160...255).contains(posts))
                        #expect(try await !stage.logsContain(anyOf: ["spool_write_failed"]))
                        nudging.cancel()
                        try disk.empty()
                        try await stage.rotateAll()
                        #expect(await stage.presentedTwice() == 0)
                    }
                )
            }
        }

        @Test(.enabled(if: SmallDisk.isAllowed, "mounting a small file system takes root and CAP_SYS_ADMIN"))
        func aDatabaseWithoutRoomGetsTheAnswersWhenThereIsSome() async throws {
            try await SmallDisk.with(megabytes: 2) { disk in
                try await stage(
                    {
                        $0.tenants = 24
                        $0.workers = 3
                        $0.exchangesPerWorker = 8
                    },
                    { stage in
                        let before = try await stage.moveLog(to: disk)
                        try disk.fill()
                        try await stage.database.nudge(stage.tenants)
                        try await stage.waitForLog("settle_repeats")
                        // Those who hold the answers die; the spool has them.
                        for worker in await stage.fleet.all { worker.signal(SIGKILL) }
                        try disk.empty()
                        try await stage.waitUntil("every tenant has a new token") { standings in
                            zip(standings, before).allSatisfy { $0.generation > $1.generation && $0.isHealthy }
                        }
                        #expect(try await stage.outcomes().contains("replayed"))
                        try await stage.rotateAll()
                        #expect(await stage.presentedTwice() == 0)
                    }
                )
            }
        }

        @Test func withoutTheKeyRingNothingIsSent() async throws {
            try await stage(
                { $0.tenants = 4 },
                { stage in
                    try await stage.rotateAll()
                    let posts = stage.provider.totals.posts
                    let keys = stage.folder.appendingPathComponent("keys").path
                    try FileManager.default.moveItem(atPath: keys, toPath: keys + "-elsewhere")
                    try await stage.database.nudge(stage.tenants)
                    try await stage.waitForLog("unfit")
                    try await stage.waitUntil("nothing is open") { $0.allSatisfy(\.isHealthy) }
                    #expect(stage.provider.totals.posts == posts)
                    try FileManager.default.moveItem(atPath: keys + "-elsewhere", toPath: keys)
                    try await stage.rotateAll()
                    #expect(stage.provider.totals.posts == posts + 4)
                    #expect(await stage.presentedTwice() == 0)
                }
            )
        }
    }
}

extension FaultStage {
    /// The log of exchanges goes to a small disk, with few rows to a page, so that it soon needs another.
    fileprivate func moveLog(to disk: SmallDisk) async throws -> [CredentialStanding] {
        try await rotateAll()
        try await database.run("alter table leasehold.credential_exchange set (fillfactor = 10)")
        try await database.run("create tablespace small location '\(disk.path)'")
        try await database.run("alter table leasehold.credential_exchange set tablespace small")
        // Written anew it has no empty page left: PostgreSQL adds several at a time while sessions wait for one.
        try await database.run("vacuum (full) leasehold.credential_exchange")
        return try await database.standings(of: tenants)
    }

    fileprivate func outcomes() async throws -> [String] {
        var outcomes: [String] = []
        for tenant in tenants { outcomes += try await database.log(of: tenant).map(\.outcome) }
        return outcomes
    }
}
