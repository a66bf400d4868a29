/// Gives the thing with a number an id that looks like Pitchly's (a prefix of three letters and 17
/// characters, see ``FakePitchlyConfiguration``) and finds the number of an id again, so that a
/// million records need no table of ids.
struct IdentifierCodec: Sendable {
    /// Without look-alikes, as in the published samples.
    static let alphabet = Array("23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz".utf8)

    private static let digits: [UInt8] = {
        var digits = [UInt8](repeating: 0xFF, count: 256)
        for (digit, letter) in alphabet.enumerated() { digits[Int(letter)] = UInt8(digit) }
        return digits
    }()

    /// 11 characters carry the scrambled number (55 to the 11th is more than 2 to the 63rd), 6 more
    /// are a check that only the right codec gives.
    private static let numberLength = 11
    private static let checkLength = 6
    private static let mask: UInt64 = (1 << 63) - 1

    let prefix: [UInt8]
    private let key: UInt64
    private let factor: UInt64
    private let inverse: UInt64

    init(prefix: String, salt: UInt64) {
        self.prefix = Array(prefix.utf8)
        key = SeededHash.mix(salt) & Self.mask
        factor = (SeededHash.mix(salt ^ 0x5DEE_CE66) | 1) & Self.mask
        inverse = Self.inverse(of: factor)
    }

    /// Newton's method doubles the right bits each round; six rounds are enough for 64.
    private static func inverse(of odd: UInt64) -> UInt64 {
        var inverse = odd
        for _ in 0..<6 { inverse = inverse &* (2 &- odd &* inverse) }
        return inverse & mask
    }

    func id(of number: Int) -> String { String(decoding: prefix + suffix(of: number), as: UTF8.self) }

    /// The 17 characters after the prefix; these alone are the id in v2.
    func suffix(of number: Int) -> [UInt8] {
        var characters: [UInt8] = []
        characters.reserveCapacity(Self.numberLength + Self.checkLength)
        appendSuffix(of: number, to: &characters)
        return characters
    }

    func appendSuffix(of number: Int, to characters: inout [UInt8]) {
        var scrambled = scramble(UInt64(truncatingIfNeeded: number))
        for _ in 0..<Self.numberLength { Self.appendDigit(&scrambled, to: &characters) }
        var check = self.check(number)
        for _ in 0..<Self.checkLength { Self.appendDigit(&check, to: &characters) }
    }

    @inline(__always) private static func appendDigit(_ number: inout UInt64, to characters: inout [UInt8]) {
        let (quotient, digit) = number.quotientAndRemainder(dividingBy: 55)
        characters.append(alphabet[Int(truncatingIfNeeded: digit)])
        number = quotient
    }

    /// Nil for every text that ``id(of:)`` of this codec never gives.
    func number(of id: String) -> Int? {
        let bytes = Array(id.utf8)
        guard bytes.starts(with: prefix) else { return nil }
        return number(ofSuffix: bytes[prefix.count...])
    }

    func number(ofSuffix suffix: some Collection<UInt8>) -> Int? {
        guard suffix.count == Self.numberLength + Self.checkLength else { return nil }
        var scrambled: UInt64 = 0
        for letter in suffix.prefix(Self.numberLength).reversed() {
            let digit = Self.digits[Int(letter)]
            guard digit != 0xFF else { return nil }
            let (product, overflow) = scrambled.multipliedReportingOverflow(by: 55)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            scrambled = sum
        }
        guard scrambled <= Self.mask else { return nil }
        let number = Int(truncatingIfNeeded: unscramble(scrambled))
        return self.suffix(of: number).elementsEqual(suffix) ? number : nil
    }

    private func scramble(_ number: UInt64) -> UInt64 {
        let mixed = ((number ^ key) &* factor) & Self.mask
        return mixed ^ (mixed >> 32)
    }

    private func unscramble(_ scrambled: UInt64) -> UInt64 {
        let mixed = scrambled ^ (scrambled >> 32)
        return ((mixed &* inverse) & Self.mask) ^ key
    }

    private func check(_ number: Int) -> UInt64 {
        SeededHash.mix(UInt64(truncatingIfNeeded: number) ^ key &* 3)
    }
}
