import Crypto
import Foundation
package import LeaseholdCore

/// A PKCE verifier and its S256 challenge (RFC 7636 sections 4.1 and 4.2).
package struct ProofKey: Sendable {
    /// 43 characters of base64url: 32 octets from the system's secure generator.
    package let verifier: Secret
    /// Sent with the authorization request; of no use to who does not know the verifier.
    package let challenge: String

    package init() { self.init(verifier: randomURLSafeText(octets: 32)) }

    /// For a verifier that was kept from the first half of the flow.
    package init(verifier: String) {
        self.verifier = Secret(verifier)
        challenge = base64URL(SHA256.hash(data: Data(verifier.utf8)))
    }
}

/// Text for a `state` parameter (RFC 6749 section 10.12): 32 octets nobody can guess.
package func randomState() -> String { randomURLSafeText(octets: 32) }

private func randomURLSafeText(octets: Int) -> String {
    // The system's generator is cryptographically secure on every platform that Swift supports.
    var generator = SystemRandomNumberGenerator()
    return base64URL((0..<octets).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
}

/// RFC 4648 section 5, without padding.
private func base64URL(_ bytes: some Sequence<UInt8>) -> String {
    Data(bytes).base64EncodedString()
        .replacing("+", with: "-")
        .replacing("/", with: "_")
        .replacing("=", with: "")
}
