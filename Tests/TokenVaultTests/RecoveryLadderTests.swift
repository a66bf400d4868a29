import LeaseholdCore
import Testing

@testable import TokenVault

@Suite struct RecoveryLadderTests {
    private var profile = ProviderProfile()

    /// Presented 10 s ago, an hour's token with 15 minutes left.
    private func suspicion(
        _ reason: Suspicion.Reason = .ambiguous,
        _ change: (inout Suspicion) -> Void = { _ in }
    ) -> Suspicion {
        var suspicion = Suspicion(
            reason: reason,
            since: .seconds(-5),
            presented: .seconds(-10),
            deadline: .seconds(65),
            accessExpiry: .seconds(900),
            accessLifetime: .seconds(3600),
            hasOrganization: false,
            hasRefreshToken: true,
            renewsByOrganization: false,
            tried: [],
            providerInDoubt: false
        )
        change(&suspicion)
        return suspicion
    }

    private func next(
        _ suspicion: Suspicion,
        _ change: (inout ProviderProfile) -> Void = { _ in }
    ) -> RecoveryLadder.Step {
        var profile = profile
        change(&profile)
        return RecoveryLadder(profile: profile).next(suspicion)
    }

    @Test func waitsUntilNothingCanBeOnItsWay() {
        // Deadline in 65 s, and 60 s that the provider may go on working.
        #expect(next(suspicion()) == .wait(.seconds(125)))
    }

    @Test func exchangesTheAccessTokenWhenItIsQuiet() {
        let quiet = suspicion {
            $0.deadline = .seconds(-70)
            $0.since = .seconds(-100)
        }
        #expect(next(quiet) == .exchange(.accessToken))
    }

    @Test func exchangesAShortLivedAccessTokenBeforeItEnds() {
        let short = suspicion {
            $0.accessExpiry = .seconds(5)
            $0.accessLifetime = .seconds(21)
        }
        #expect(next(short) == .wait(.seconds(2)))
        let shorter = suspicion {
            $0.accessExpiry = .seconds(2.9)
            $0.accessLifetime = .seconds(21)
        }
        #expect(next(shorter) == .exchange(.accessToken))
    }

    @Test func replaysAtOnceInsideAKnownGrace() {
        #expect(next(suspicion()) { $0.grace = .seconds(30) } == .exchange(.replay))
        #expect(next(suspicion { $0.presented = .seconds(-29) }) { $0.grace = .seconds(30) } != .exchange(.replay))
        #expect(next(suspicion { $0.tried = [.replay] }) { $0.grace = .seconds(30) } != .exchange(.replay))
        // What the provider has called dead is not within its grace.
        #expect(next(suspicion(.dead)) { $0.grace = .seconds(30) } != .exchange(.replay))
    }

    @Test func usesTheOrganisationsIdWhereItIsAllowedAndKnown() {
        let quiet = suspicion {
            $0.deadline = .seconds(-70)
            $0.since = .seconds(-100)
            $0.tried = [.accessToken]
        }
        #expect(next(quiet) { $0.allowsClientCredentials = true } != .exchange(.clientCredentials))
        var known = quiet
        known.hasOrganization = true
        #expect(next(known) != .exchange(.clientCredentials))
        #expect(next(known) { $0.allowsClientCredentials = true } == .exchange(.clientCredentials))
    }

    @Test func probesShortlyBeforeTheAccessTokenExpiresAndNeverBeforeItIsQuiet() {
        let tried = suspicion {
            $0.deadline = .seconds(-70)
            $0.since = .seconds(-100)
            $0.tried = [.accessToken]
        }
        #expect(next(tried) == .wait(.seconds(900 - 65)))
        var late = tried
        late.accessExpiry = .seconds(60)
        #expect(next(late) == .exchange(.lateProbe))
        var noisy = late
        noisy.deadline = .seconds(10)
        #expect(next(noisy) == .wait(.seconds(70)))
        var expired = tried
        expired.accessExpiry = nil
        #expect(next(expired) == .exchange(.lateProbe))
    }

    @Test func givesUpOnlyAfterEverything() {
        let done = suspicion(.dead) {
            $0.deadline = .seconds(-70)
            $0.since = .seconds(-100)
            $0.accessExpiry = nil
            $0.tried = [.accessToken, .lateProbe]
        }
        #expect(next(done) == .giveUp)
        var young = done
        young.since = .seconds(-10)
        #expect(next(young) == .wait(.seconds(20)))
        var doubtful = done
        doubtful.providerInDoubt = true
        #expect(next(doubtful) == .wait(.seconds(15)))
    }

    @Test func aProbeWithoutAnAnswerIsRepeatedWhenItIsQuietAgain() {
        let unheard = suspicion {
            $0.deadline = .seconds(-20)
            $0.since = .seconds(-300)
            $0.accessExpiry = nil
            $0.tried = [.accessToken, .lateProbe]
        }
        #expect(next(unheard) == .wait(.seconds(40)))
        var quiet = unheard
        quiet.deadline = .seconds(-61)
        #expect(next(quiet) == .exchange(.lateProbe))
        #expect(next(quiet) { $0.allowsLateProbe = false } == .giveUp)
        quiet.reason = .dead
        #expect(next(quiet) == .giveUp)
    }

    @Test func aDeadGenerationIsGivenTheSameRungs() {
        var dead = suspicion(.dead) { $0.since = .seconds(-40) }
        #expect(next(dead) == .exchange(.accessToken))
        dead.tried = [.accessToken]
        dead.accessExpiry = .seconds(10)
        #expect(next(dead) == .exchange(.lateProbe))
        dead.tried = [.accessToken, .lateProbe]
        dead.accessExpiry = nil
        #expect(next(dead) == .giveUp)
    }

    @Test func withoutARefreshTokenNoneIsPresented() {
        let organisation = suspicion(.dead) {
            $0.since = .seconds(-40)
            $0.hasRefreshToken = false
            $0.hasOrganization = true
            $0.renewsByOrganization = true
            $0.accessExpiry = nil
        }
        #expect(next(organisation) == .exchange(.clientCredentials))
        var confirmed = organisation
        confirmed.tried = [.clientCredentials]
        #expect(next(confirmed) == .giveUp)
    }

    @Test func everyPathEndsAndTakesEachRungAtMostOnce() {
        let random = RandomSource(seed: 11)
        for _ in 0..<2000 {
            var facts = suspicion(random.next() % 2 == 0 ? .ambiguous : .dead) {
                $0.since = .seconds(-random.uniform(in: 0...60))
                $0.presented = $0.since - .seconds(random.uniform(in: 0...60))
                $0.deadline = $0.presented + .seconds(75)
                $0.accessExpiry = random.next() % 3 == 0 ? nil : .seconds(random.uniform(in: -100...1000))
                $0.accessLifetime = .seconds(random.uniform(in: 10...3600))
                $0.hasOrganization = random.next() % 2 == 0
            }
            var ladder = RecoveryLadder(profile: profile)
            if random.next() % 2 == 0 {
                var graceful = profile
                graceful.grace = .seconds(30)
                graceful.allowsClientCredentials = true
                ladder = RecoveryLadder(profile: graceful)
            }
            var ended = false
            climb: for _ in 0..<200 {
                switch ladder.next(facts) {
                case .giveUp:
                    ended = true
                    break climb
                case .exchange(let rung):
                    // A probe that is not answered half of the time, and refused otherwise.
                    #expect(facts.tried.insert(rung).inserted || (rung == .lateProbe && facts.reason == .ambiguous))
                    if rung == .lateProbe {
                        facts.reason = random.next() % 2 == 0 ? .ambiguous : .dead
                        facts.presented = .zero
                        facts.deadline = .seconds(75)
                    }
                case .wait(let delay):
                    #expect(delay > .zero)
                    facts = later(facts, by: delay)
                }
            }
            #expect(ended)
        }
    }

    private func later(_ suspicion: Suspicion, by delay: Duration) -> Suspicion {
        var later = suspicion
        later.since -= delay
        later.presented -= delay
        later.deadline -= delay
        later.accessExpiry = suspicion.accessExpiry.map { $0 - delay }
        return later
    }
}
