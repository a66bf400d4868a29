import Foundation
import LeaseholdCore
import Testing

@testable import LeaseholdCLI
@testable import PitchlySync

@Suite struct SyncFollowTests {
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)

    private func table(
        _ id: String,
        state: String = "live",
        reading: MirrorTableStatus.Reading? = nil,
        ended: (id: Int64, state: String)? = nil,
        job: String? = nil,
        error: String? = nil
    ) -> MirrorTableStatus {
        MirrorTableStatus(
            id: id,
            workspace: "wks",
            name: "Name of \(id)",
            state: state,
            records: 10,
            syncedAt: nil,
            fullSyncedAt: nil,
            deletionConfirmed: false,
            reading: reading,
            ended: ended.map {
                MirrorTableStatus.Ended(
                    id: $0.id,
                    state: $0.state,
                    inserted: 1,
                    updated: 2,
                    deleted: 3,
                    unchanged: 4,
                    reason: $0.state == "merged" ? nil : "a reason",
                    finishedAt: Self.now
                )
            },
            job: job.map { MirrorTableStatus.Job(id: JobID(rawValue: 1), state: $0, runAt: Self.now, error: error) },
            view: nil,
            now: Self.now
        )
    }

    @Test func aRunFromBeforeTheRequestDoesNotCount() {
        var follow = SyncFollow(before: [table("a", ended: (5, "merged"))])
        #expect(follow.look(at: [table("a", ended: (5, "merged"), job: "ready")], isComplete: true) == [])
        #expect(follow.look(at: [table("a", ended: (5, "merged"), job: "running")], isComplete: true) == [])
        let done = table("a", ended: (6, "merged"))
        #expect(follow.look(at: [done], isComplete: true).map(\.outcome) == [.merged])
        #expect(follow.hasEnded([done]) && follow.isGood)
        #expect(follow.look(at: [done], isComplete: true) == [])
    }

    @Test func aSecondRunThatWasRememberedIsWaitedFor() {
        var follow = SyncFollow(before: [table("a")])
        let between = table("a", ended: (6, "merged"), job: "ready")
        #expect(follow.look(at: [between], isComplete: true) == [] && !follow.hasEnded([between]))
        #expect(follow.look(at: [table("a", ended: (7, "merged"))], isComplete: true).map(\.outcome) == [.merged])
    }

    @Test(
        arguments: [
            ("suspicious", nil, .suspicious), ("abandoned", nil, .failed), (nil, nil, .failed),
            (nil, "parked", .parked),
        ] as [(String?, String?, SyncFollow.Ending.Outcome)]
    )
    func whatIsNoMirrorIsNoSuccess(ended: String?, job: String?, outcome: SyncFollow.Ending.Outcome) {
        var follow = SyncFollow(before: [table("a")])
        _ = follow.look(at: [table("a", job: "running")], isComplete: true)
        let last = table("a", ended: ended.map { (9, $0) }, job: job, error: "why")
        #expect(follow.look(at: [last], isComplete: true).map(\.outcome) == [outcome])
        #expect(!follow.isGood)
    }

    @Test func aTableThatIsGoneIsAnEndAndNoFailure() {
        var follow = SyncFollow(before: [table("a")])
        let gone = table("a", state: "gone")
        #expect(follow.look(at: [gone], isComplete: false) == [])
        #expect(follow.look(at: [gone], isComplete: true).map(\.outcome) == [.gone])
        #expect(follow.isGood && follow.wasLive(gone))
    }

    @Test func progressNamesWhatIsReadAndWhatRests() {
        var follow = SyncFollow(before: [])
        let tables = [
            table("a", ended: (1, "merged")),
            table(
                "b",
                reading: .init(id: 2, pages: 3, rows: 50, expectedRows: 200, startedAt: Self.now),
                job: "running"
            ), table("c", job: "scheduled", error: "status 503"), table("d", job: "ready"),
        ]
        _ = follow.look(at: tables, isComplete: true)
        let line = follow.progress(tables)
        #expect(
            line.hasPrefix("1 of 4 tables done; Name of b: 50 of 200 records (25 %); Name of c rests until 2023-11-14")
        )
        #expect(line.hasSuffix("status 503"))
    }

    @Test func aTerminalIsWrittenOverAndALogIsNot() {
        var clock = Self.now
        var written: [String] = []
        var line = ProgressLine(isSilent: false, isTerminal: false, now: { clock }, write: { written.append($0) })
        for text in ["a", "a", "b"] { line.show(text) }
        clock += 5
        line.show("b")
        line.keep("done")
        line.clear()
        #expect(written == ["a\n", "b\n", "done\n"])
        written = []
        var terminal = ProgressLine(isSilent: false, isTerminal: true, now: { clock }, write: { written.append($0) })
        terminal.show("a")
        terminal.show("b")
        terminal.clear()
        #expect(written == ["\r\u{1B}[2Ka", "\r\u{1B}[2Kb", "\r\u{1B}[2K"])
        written = []
        var silent = ProgressLine(isSilent: true, isTerminal: true, now: { clock }, write: { written.append($0) })
        silent.show("a")
        silent.keep("b")
        #expect(written.isEmpty)
    }
}
