import Crypto
import Foundation

/// Proof key for code exchange (RFC 7636).
struct PKCE: Sendable, Equatable {
    enum Method: String, Sendable {
        case sha256 = "S256"
        /// Also what a challenge without a method means (section 4.3).
        case plain
    }

    let method: Method
    let challenge: String

    /// 43 to 128 unreserved characters (section 4.1).
    static func isWellFormed(_ text: String) -> Bool {
        (43...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x61 && byte <= 0x7A)
                    || "-._~".utf8.contains(byte)
            }
    }

    func accepts(verifier: String) -> Bool {
        guard Self.isWellFormed(verifier) else { return false }
        switch method {
        case .plain: return verifier == challenge
        case .sha256: return Self.challenge(for: verifier) == challenge
        }
    }

    /// BASE64URL(SHA256(verifier)) without padding (section 4.2).
    static func challenge(for verifier: String) -> String {
        Data(SHA256.hash(data: Data(verifier.utf8))).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
