import Crypto

/// Token texts: `plyu_` and 43 characters for access tokens, as in Pitchly's samples; `plyr_` for
/// refresh tokens and `plyc_` for codes are assumed.
enum TokenText {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    static func make(prefix: String) -> String {
        var generator = SystemRandomNumberGenerator()
        var characters = Array(prefix.utf8)
        for _ in 0..<5 {
            var bits = generator.next()
            for _ in 0..<9 where characters.count < prefix.utf8.count + 43 {
                characters.append(alphabet[Int(bits & 63)])
                bits >>= 6
            }
        }
        return String(decoding: characters, as: UTF8.self)
    }

    /// SHA-256 in hexadecimal: names a token where the token itself must not stand.
    static func fingerprint(_ token: String) -> String {
        SHA256.hash(data: Array(token.utf8)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
