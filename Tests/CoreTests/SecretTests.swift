import LeaseholdCore
import Testing

@Suite struct SecretTests {
    private struct Holder {
        let name = "acme"
        let token = Secret("plyu_canary")
    }

    @Test func noWayOfPrintingShowsTheText() {
        let secret = Secret("plyu_canary")
        var dumped = ""
        dump(Holder(), to: &dumped)
        dump(secret, to: &dumped)
        let printed = [
            "\(secret)", String(describing: secret), String(reflecting: secret), "\([secret])",
            "\(Optional(secret) as Any)",
            "\(Holder())", String(reflecting: Holder()), "\(TokenGrant.refreshToken(secret))", dumped,
        ]
        for text in printed { #expect(!text.contains("canary")) }
        #expect(secret.reveal() == "plyu_canary")
    }

    @Test func anUnknownErrorIsShownByItsTypeOnly() {
        struct Foreign: Error, CustomStringConvertible { let description = "token plyu_canary" }
        #expect(!errorText(Foreign()).contains("canary"))
        #expect(errorText(Foreign()).contains("Foreign"))
        #expect(errorLabel(Foreign()) == "Foreign")
        #expect(errorLabel(CancellationError()) == "cancelled")
    }
}
