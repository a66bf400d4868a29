import ArgumentParser

/// A length of time as people write it: `90s`, `15m`, `1h30m`, `2d`.
struct IntervalArgument: ExpressibleByArgument, Equatable {
    let duration: Duration

    private static let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]

    init?(argument: String) {
        var seconds = 0
        var digits = ""
        guard !argument.isEmpty else { return nil }
        for character in argument {
            if character.isASCII, character.isNumber {
                digits.append(character)
                continue
            }
            guard let unit = Self.units[character], let number = Int(digits), number < 1_000_000_000 else { return nil }
            seconds += number * unit
            digits = ""
        }
        guard digits.isEmpty else { return nil }
        duration = .seconds(seconds)
    }

    static let form = "a number with s, m, h or d: 90s, 15m, 1h30m"
}
