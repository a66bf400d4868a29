import Foundation
import LeaseholdCore
import Testing

@testable import TokenVault

@Suite struct RefreshScheduleTests {
    private let sent = Date(timeIntervalSince1970: 1_000_000)

    private func due(_ lifetime: Double, deadline: Double = 60, chance: Double) -> Double {
        let schedule = RefreshSchedule(
            sentAt: sent,
            lifetime: .seconds(lifetime),
            deadline: .seconds(deadline),
            chance: chance
        )
        return schedule.refreshDueAt.timeIntervalSince(sent)
    }

    @Test func anHourIsRefreshedAt70To85Percent() {
        #expect(abs(due(3600, chance: 0) - 0.70 * 3600) < 0.001)
        #expect(abs(due(3600, chance: 1) - 0.85 * 3600) < 0.001)
        #expect(abs(due(3600, chance: 0.5) - 0.775 * 3600) < 0.001)
    }

    @Test func expiryCountsFromTheSending() {
        let schedule = RefreshSchedule(sentAt: sent, lifetime: .seconds(3600), deadline: .seconds(60), chance: 0)
        #expect(schedule.expiresAt.timeIntervalSince(sent) == 3600)
    }

    @Test func theMarginIsNeverBelowThreeDeadlines() {
        #expect(due(900, chance: 1) <= 900 - 180)
    }

    @Test(arguments: [20.0, 30, 60, 300, 600])
    func shortLifetimesKeepAtLeast30PercentAndTheirJitter(lifetime: Double) {
        #expect(due(lifetime, chance: 1) <= 0.7 * lifetime + 0.001)
        #expect(due(lifetime, chance: 0) >= 0.5 * lifetime)
        #expect(due(lifetime, chance: 1) - due(lifetime, chance: 0) >= 0.1 * lifetime)
    }

    @Test func tenantsConnectedTogetherDriftApart() {
        let random = RandomSource(seed: 7)
        let dues = (0..<1000).map { _ in due(3600, chance: random.uniform(in: 0...1)) }
        #expect(dues.allSatisfy { (2520...3060).contains($0) })
        // No tenth of the window holds more than twice its share.
        for tenth in 0..<10 {
            let range = (2520 + 54 * Double(tenth))...(2520 + 54 * Double(tenth + 1))
            #expect(dues.count { range.contains($0) } < 200)
        }
    }
}
