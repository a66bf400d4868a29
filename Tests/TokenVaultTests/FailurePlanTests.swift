import LeaseholdCore
import Testing

@testable import TokenVault

@Suite struct FailurePlanTests {
    private func plan(
        _ verdict: ExchangeVerdict,
        _ rung: ExchangeRung = .refresh,
        grant: String = "refresh_token",
        isGiven: Bool = false,
        failures: Int = 0
    ) -> FailurePlan {
        FailurePlan(verdict, rung: rung, grant: grant, isGiven: isGiven, failures: failures, chance: 1)
    }

    @Test func whatAClientGaveSaysNothingOfTheProviderUnlessTheProviderIsSilent() {
        #expect(plan(.dead, isGiven: true).suspect == .dead)
        #expect(plan(.dead, isGiven: true).provider == nil)
        for errorClass in ["http_4xx", "unknown_error", "no_token", "not_json", "redirect"] {
            let plan = plan(.ambiguous(errorClass: errorClass, rest: nil), isGiven: true)
            #expect(plan.suspect == .ambiguous, "\(errorClass)")
            #expect(plan.provider == nil, "\(errorClass)")
        }
        for errorClass in ["no_reply", "http_5xx", "cut_reply"] {
            let plan = plan(.ambiguous(errorClass: errorClass, rest: nil), isGiven: true)
            #expect(plan.provider == .unanswered, "\(errorClass)")
        }
    }

    @Test func rubbishThatTheProviderCallsABadRequestStopsNobodyElse() {
        for code in ["invalid_request", "invalid_scope", "unauthorized_client", "unsupported_grant_type"] {
            let plan = plan(.misconfigured(code: code), isGiven: true)
            #expect(plan.provider == nil, "\(code)")
            #expect(plan.suspect == .dead, "\(code)")
            #expect(plan.errorClass == code)
        }
        // That one is about us.
        #expect(plan(.misconfigured(code: "invalid_client"), isGiven: true).provider == .stopped)
    }

    @Test func whatWasNotSentClearsTheIntentAndBacksOff() {
        let plan = plan(.notSent)
        #expect(plan.outcome == "not_sent")
        #expect(plan.suspect == nil)
        #expect(plan.isRungFree)
        #expect(plan.backOff == .seconds(2))
        #expect(plan.due == plan.backOff)
        #expect(plan.provider == nil)
    }

    @Test func backOffGrowsToItsLimit() {
        #expect(plan(.notSent, failures: 3).backOff == .seconds(16))
        #expect(plan(.notSent, failures: 1000).backOff == .seconds(300))
        #expect(BackOff.pause(failures: 5, chance: 0) == .seconds(0.5))
    }

    @Test func throttlingHoldsTheProvider() {
        let plan = plan(.throttled(retryAfter: .seconds(40)))
        #expect(plan.provider == .blocked(.seconds(40)))
        #expect(plan.backOff == .seconds(45))
        #expect(plan.suspect == nil)
        #expect(plan.isRungFree)
    }

    @Test func aDeadGenerationIsSuspectAndCountsForTheBreaker() {
        for rung in [ExchangeRung.refresh, .replay, .lateProbe] {
            #expect(plan(.dead, rung).suspect == .dead)
            #expect(plan(.dead, rung).provider == .dead)
            #expect(!plan(.dead, rung).isRungFree)
        }
    }

    @Test func anAmbiguousPresentationIsSuspect() {
        for rung in [ExchangeRung.refresh, .replay, .lateProbe] {
            let plan = plan(.ambiguous(errorClass: "no_reply", rest: nil), rung)
            #expect(plan.suspect == .ambiguous)
            #expect(plan.provider == .unanswered)
            #expect(plan.isRungFree == (rung == .lateProbe))
            #expect((plan.backOff > .zero) == (rung == .lateProbe))
        }
    }

    @Test func anUnansweredExchangeOfTheAccessTokenMayBeTriedAgain() {
        let plan = plan(.ambiguous(errorClass: "no_reply", rest: nil), .accessToken, grant: "access_token")
        #expect(plan.suspect == nil)
        #expect(plan.isRungFree)
        #expect(plan.backOff > .zero)
    }

    @Test func anOrganisationsIdIsNeverSpent() {
        let plan = plan(.ambiguous(errorClass: "no_reply", rest: nil), grant: "client_credentials")
        #expect(plan.suspect == nil)
        #expect(plan.backOff > .zero)
    }

    @Test func ourConfigurationStopsTheClientAndMarksNoTenant() {
        let plan = plan(.misconfigured(code: "invalid_client"))
        #expect(plan.provider == .stopped)
        #expect(plan.suspect == nil)
        #expect(plan.isRungFree)
        #expect(plan.errorClass == "invalid_client")
    }

    @Test func aGrantThatIsNotAllowedSaysNothingOfTheClient() {
        for code in ["unsupported_grant_type", "unauthorized_client", "invalid_request"] {
            for rung in [ExchangeRung.accessToken, .clientCredentials] {
                let plan = plan(.misconfigured(code: code), rung, grant: rung.rawValue)
                #expect(plan.outcome == "refused")
                #expect(plan.provider == nil)
                #expect(!plan.isRungFree)
            }
        }
        #expect(plan(.misconfigured(code: "invalid_client"), .accessToken, grant: "access_token").provider == .stopped)
    }

    @Test func whatAPersonGaveNeverTouchesTheCredential() {
        let verdicts: [ExchangeVerdict] = [
            .dead, .misconfigured(code: "invalid_client"), .ambiguous(errorClass: "no_reply", rest: nil),
        ]
        for verdict in verdicts {
            let plan = plan(verdict, .connect, grant: "authorization_code")
            #expect(plan.suspect == nil)
            #expect(plan.provider != .stopped)
            #expect(plan.provider != .dead)
        }
    }

    @Test func aNewGrantWithoutARefreshTokenIsRefused() throws {
        let members = try #require(ReplyMembers(Array(#"{"access_token":"a"}"#.utf8)))
        let tokens = try #require(TokenSet(members, profile: ProviderProfile()))
        let plan = plan(.tokens(tokens), .accessToken, grant: "access_token")
        #expect(plan.outcome == "refused")
        #expect(plan.errorClass == "no_refresh_token")
    }
}
