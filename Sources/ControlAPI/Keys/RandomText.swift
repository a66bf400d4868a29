import Crypto
import Foundation

/// Texts that nobody can guess, and what is kept of them.
enum RandomText {
    /// 256 bits from the system's secure generator as 43 characters of base64url.
    static func secret() -> String {
        var generator = SystemRandomNumberGenerator()
        return base64URL((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// Twelve letters and digits.
    static func id() -> String {
        var generator = SystemRandomNumberGenerator()
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        return String((0..<12).map { _ in letters.randomElement(using: &generator) ?? "a" })
    }

    /// SHA-256. Without salt and stretching, because what is hashed has 256 random bits.
    static func hash(_ text: String) -> [UInt8] { Array(SHA256.hash(data: Data(text.utf8))) }

    /// A text that follows from a secret and a purpose, and does not tell the secret: HMAC-SHA-256.
    static func derived(from secret: String, for purpose: String) -> String {
        let key = SymmetricKey(data: Data(secret.utf8))
        return base64URL(HMAC<SHA256>.authenticationCode(for: Data(purpose.utf8), using: key))
    }

    /// Compares in a time that does not depend on where the texts differ.
    static func isEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (hash(left), hash(right))
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// RFC 4648 section 5, without padding.
    private static func base64URL(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
