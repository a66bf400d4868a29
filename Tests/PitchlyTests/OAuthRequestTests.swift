import LeaseholdCore
import NIOCore
import Testing

@testable import Pitchly

@Suite("What is sent to the OAuth endpoints")
struct OAuthRequestTests {
    private func configuration(_ change: (inout OAuthConfiguration) -> Void = { _ in }) throws -> OAuthConfiguration {
        var configuration = try OAuthConfiguration(
            origin: PitchlyURL("https://platform.pitchly.com/", setting: "origin"),
            clientID: "app1",
            clientSecret: Secret("plys_1")
        )
        change(&configuration)
        return configuration
    }

    private let proof = "client_id=app1&client_secret=plys_1"

    @Test("has the parameters of each grant")
    func forms() throws {
        let configuration = try configuration()
        func form(_ grant: TokenGrant) -> String { configuration.form(for: grant).text }
        #expect(form(.refreshToken(Secret("r"))) == "grant_type=refresh_token&refresh_token=r&\(proof)")
        #expect(
            form(.authorizationCode(code: Secret("c"), codeVerifier: Secret("v"), redirectURI: "https://a.b/c?d"))
                == "grant_type=authorization_code&code=c&code_verifier=v&redirect_uri=https%3A%2F%2Fa.b%2Fc%3Fd&\(proof)"
        )
        #expect(form(.accessToken(Secret("a"))) == "grant_type=access_token&access_token=a&\(proof)")
        #expect(
            form(.clientCredentials(organization: "org1"))
                == "grant_type=client_credentials&organization_id=org1&\(proof)"
        )
    }

    @Test("has the scope only where it is set, and an empty one as such")
    func scope() throws {
        let empty = try configuration { $0.scope = "" }
        #expect(empty.form(for: .refreshToken(Secret("r"))).text.hasSuffix("&scope="))
        let some = try configuration { $0.scope = "records:update teams:read" }
        #expect(some.form(for: .refreshToken(Secret("r"))).text.hasSuffix("&scope=records%3Aupdate+teams%3Aread"))
    }

    @Test("takes the names of the access-token exchange from the settings")
    func accessTokenNames() throws {
        let configuration = try configuration {
            $0.accessTokenGrant.path = "/oauth/long-lived"
            $0.accessTokenGrant.grantType = "long_lived"
            $0.accessTokenGrant.parameter = "token"
        }
        #expect(
            configuration.url(for: .accessToken(Secret("a"))) == "https://platform.pitchly.com/oauth/long-lived"
        )
        #expect(
            configuration.url(for: .refreshToken(Secret("a"))) == "https://platform.pitchly.com/api/oauth/token"
        )
        #expect(configuration.form(for: .accessToken(Secret("a"))).text == "grant_type=long_lived&token=a&\(proof)")
    }

    @Test("proves the key as in appendix B of RFC 7636")
    func proofKey() {
        let key = ProofKey(verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        #expect(key.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }

    @Test("has a new verifier of 43 unreserved characters each time")
    func verifiers() {
        let verifiers = (0..<100).map { _ in ProofKey().verifier.reveal() }
        #expect(Set(verifiers).count == 100)
        #expect(verifiers.allSatisfy { $0.wholeMatch(of: /[A-Za-z0-9_-]{43}/) != nil })
    }

    @Test("sends the browser to the authorize endpoint with challenge and state")
    func authorizationURL() throws {
        let key = ProofKey(verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        let url = try configuration().authorizationURL(redirectURI: "https://a.b/c", state: "s1", proofKey: key)
        #expect(
            url == "https://platform.pitchly.com/oauth/authorize?response_type=code&client_id=app1"
                + "&redirect_uri=https%3A%2F%2Fa.b%2Fc&state=s1&code_challenge_method=S256"
                + "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        )
    }

    @Test(
        "goes to no URL that would show a token to others",
        arguments: [
            "http://pitchly.com", "https://user@pitchly.com", "https://pitchly.com/?q=1", "https://pitchly.com/#f",
            "ftp://pitchly.com", "pitchly.com", "",
        ]
    )
    func refusedURLs(text: String) {
        #expect(throws: PitchlySettingError.self) { try PitchlyURL(text, setting: "origin") }
    }

    @Test("goes to plain http only on the own machine or when that is allowed")
    func plainHTTP() throws {
        #expect(try PitchlyURL("http://127.0.0.1:8080", setting: "origin").host == "127.0.0.1:8080")
        #expect(
            try PitchlyURL("http://fake:80/x/", setting: "origin", allowsPlainHTTP: true).description
                == "http://fake:80/x"
        )
    }

    @Test("leaves no way for the body once the verdict is given")
    func sealedAttempt() {
        let attempt = ExchangeAttempt(body: "secret", limit: 10)
        attempt.failed("deadline")
        #expect(Observed(attempt.verdict()) == .notSent)
        #expect(attempt.releaseBody() == nil)
    }

    @Test("leaves once")
    func releasedAttempt() {
        let attempt = ExchangeAttempt(body: "secret", limit: 10)
        #expect(attempt.releaseBody() == ByteBuffer(string: "secret"))
        #expect(attempt.releaseBody() == nil)
        #expect(Observed(attempt.verdict()) == .noReply)
    }
}
