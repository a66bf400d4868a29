import Foundation
import LeaseholdCore
import Testing

@testable import TokenVault

/// One test a row of the table of classes.
@Suite struct ExchangeVerdictTests {
    private let now = Date(timeIntervalSince1970: 784_111_777)  // Sun, 06 Nov 1994 08:49:37 GMT

    private func verdict(
        _ status: Int,
        _ body: String,
        complete: Bool = true,
        retryAfter: String? = nil,
        grant: String = "refresh_token"
    ) -> ExchangeVerdict {
        let reply = TokenEndpointReply.answered(
            status: status,
            contentType: nil,
            retryAfter: retryAfter,
            body: Array(body.utf8),
            complete: complete
        )
        return ExchangeVerdict(reply, grant: grant, profile: ProviderProfile(), now: now)
    }

    private func brought(_ verdict: ExchangeVerdict) -> TokenSet? {
        if case .tokens(let tokens) = verdict { return tokens }
        return nil
    }

    @Test func whatWasNotSentIsNotSpent() {
        let verdict = ExchangeVerdict(.notSent(reason: "refused"), grant: "refresh_token", profile: .init(), now: now)
        #expect(verdict.errorClass == "not_sent")
    }

    @Test func noReplyIsAmbiguous() {
        let verdict = ExchangeVerdict(.noReply(reason: "reset"), grant: "refresh_token", profile: .init(), now: now)
        #expect(verdict.errorClass == "no_reply")
    }

    @Test func tokensAreDone() throws {
        let body = #"{"access_token":"a","refresh_token":"r","expires_in":3600,"scope":"s t","unknown":[1]}"#
        let tokens = try #require(brought(verdict(200, body)))
        #expect(tokens.accessToken?.reveal() == "a")
        #expect(tokens.refreshToken?.reveal() == "r")
        #expect(tokens.lifetime == .seconds(3600))
        #expect(tokens.scope == "s t")
    }

    @Test func aMissingRefreshTokenKeepsTheOldOne() throws {
        let tokens = try #require(brought(verdict(200, #"{"access_token":"a"}"#)))
        #expect(tokens.refreshToken == nil)
    }

    @Test(
        arguments: [
            ("", 300), (#","expires_in":null"#, 300), (#","expires_in":0"#, 300), (#","expires_in":-5"#, 300),
            (#","expires_in":"soon""#, 300), (#","expires_in":{}"#, 300), (#","expires_in":"3600""#, 3600),
            (#","expires_in":20"#, 20), (#","expires_in":1e300"#, 30 * 86_400), (#","expires_in":12.5"#, 12.5),
        ] as [(String, Double)]
    )
    func anOddExpiryGetsASafeDefault(member: String, seconds: Double) throws {
        let tokens = try #require(brought(verdict(200, #"{"access_token":"a","refresh_token":"r"\#(member)}"#)))
        #expect(tokens.lifetime == .seconds(seconds))
    }

    @Test func aRefreshTokenWithoutAnAccessTokenIsKept() throws {
        let tokens = try #require(brought(verdict(200, #"{"refresh_token":"r"}"#)))
        #expect(tokens.accessToken == nil)
        #expect(tokens.refreshToken?.reveal() == "r")
    }

    @Test(arguments: [200, 400, 401, 403])
    func invalidGrantIsDeadWhateverTheStatusBelow500(status: Int) {
        guard case .dead = verdict(status, #"{"error":"invalid_grant"}"#) else {
            Issue.record("expected dead")
            return
        }
    }

    @Test func invalidGrantInsideA5xxIsAmbiguous() {
        #expect(verdict(503, #"{"error":"invalid_grant"}"#).errorClass == "http_5xx")
    }

    @Test(arguments: [
        "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_request",
    ])
    func ourConfigurationIsNobodysToken(code: String) {
        for status in [200, 400, 401] {
            guard case .misconfigured(code) = verdict(status, #"{"error":"\#(code)"}"#) else {
                Issue.record("expected \(code) at \(status) to be our configuration")
                continue
            }
        }
    }

    @Test(arguments: [#"{"error":"temporarily_unavailable"}"#, #"{"error":true}"#, #"{"error":{"code":"x"}}"#])
    func anUnknownErrorIsAmbiguous(body: String) {
        #expect(verdict(400, body).errorClass == "unknown_error")
        #expect(verdict(200, body).errorClass == "unknown_error")
    }

    @Test func anErrorBesideTokensIsAFailure() {
        #expect(verdict(200, #"{"error":"x","access_token":"a","refresh_token":"r"}"#).errorClass == "unknown_error")
    }

    @Test(
        arguments: [
            ("120", 120.0), (" 7 ", 7), ("0", 1), ("999999999999", 3600), (nil, 30), ("soon", 30), ("-4", 30),
            ("Sun, 06 Nov 1994 08:50:37 GMT", 60), ("Sunday, 06-Nov-94 08:50:37 GMT", 60),
            ("Sun Nov  6 08:50:37 1994", 60), ("Sun, 06 Nov 1994 08:00:00 GMT", 1),
        ] as [(String?, Double)]
    )
    func a429IsNotSpentAndItsRetryAfterIsHonoured(text: String?, seconds: Double) {
        // Whatever its body says: a limiter in front of the provider knows nothing of tokens.
        guard case .throttled(let delay) = verdict(429, #"{"error":"invalid_grant"}"#, retryAfter: text) else {
            Issue.record("expected throttled")
            return
        }
        #expect(delay == .seconds(seconds))
    }

    @Test(
        arguments: [
            (500, "{}", "http_5xx"), (502, "<html>", "http_5xx"), (200, "<html>", "not_json"),
            (403, "<html>", "not_json"),
            (200, "", "not_json"), (200, "{}", "no_token"), (200, #"{"ok":false}"#, "no_token"),
            (302, "{}", "redirect"),
            (404, #"{"message":"x"}"#, "http_4xx"), (200, #"{"access_token":""}"#, "no_token"),
            (200, #"{"access_token":5}"#, "no_token"),
        ] as [(Int, String, String)]
    )
    func everythingElseIsAmbiguous(status: Int, body: String, errorClass: String) {
        #expect(verdict(status, body).errorClass == errorClass)
    }

    @Test func aCutReplyWithItsRefreshTokenIsDone() throws {
        let cut = #"{"access_token":"a","refresh_token":"r","expi"#
        #expect(try #require(brought(verdict(200, cut, complete: false))).refreshToken?.reveal() == "r")
    }

    @Test func aCutReplyWithoutItsRefreshTokenLeavesTheAccessToken() throws {
        let verdict = verdict(200, #"{"access_token":"a","refresh_token":"r"#, complete: false)
        guard case .ambiguous("cut_reply", let rest) = verdict else {
            Issue.record("expected cut_reply")
            return
        }
        #expect(try #require(rest).accessToken?.reveal() == "a")
    }

    @Test func aCutReplyOfClientCredentialsNeedsNoRefreshToken() throws {
        let cut = verdict(200, #"{"access_token":"a","ex"#, complete: false, grant: "client_credentials")
        #expect(try #require(brought(cut)).accessToken?.reveal() == "a")
    }

    @Test func aCutReplyWithoutAnythingIsAmbiguous() {
        #expect(verdict(200, "", complete: false).errorClass == "cut_reply")
        #expect(verdict(200, #"{"acc"#, complete: false).errorClass == "cut_reply")
    }
}
