import Foundation
import LeaseholdCore

/// One thing that whoever runs Leasehold may choose. The catalogue of them is the only list: names,
/// defaults, help, the settings table of the README and the check for unknown names come from it.
package struct Setting: Sendable {
    /// The name in the configuration file, dots for nesting: `pitchly.oauthOrigin`.
    package let key: String
    /// What is allowed, in the words of an error message: `a whole number from 1 to 1000`.
    package let expected: String
    /// As it would be written; nil where there is none.
    package let defaultText: String?
    /// One line for help and README.
    package let help: String
    /// Its value is shown to nobody, and it has no flag: a process list is public.
    package let isSecret: Bool
    /// A value that would be right, for the advice in errors.
    package let example: String
    let isValid: @Sendable (String) -> Bool

    /// The name in the environment: `LEASEHOLD_PITCHLY_OAUTH_ORIGIN`.
    package var environmentName: String { "LEASEHOLD_" + words.joined(separator: "_").uppercased() }

    /// The name on the command line, nil for a secret: `--pitchly-oauth-origin`.
    package var flag: String? { isSecret ? nil : "--" + words.joined(separator: "-").lowercased() }

    /// `pitchly.apiURL` is `pitchly`, `api`, `URL`; the same split as swift-configuration makes for
    /// the environment.
    private var words: [String] {
        var words: [String] = []
        for part in key.split(separator: ".") {
            var word = ""
            var previousIsLowercase = false
            for character in part {
                if character.isUppercase && previousIsLowercase {
                    words.append(word)
                    word = ""
                }
                word.append(character)
                previousIsLowercase = character.isLowercase
            }
            words.append(word)
        }
        return words
    }
}

extension Setting {
    static func text(
        _ key: String,
        default defaultText: String? = nil,
        example: String,
        isSecret: Bool = false,
        help: String
    ) -> Setting {
        Setting(
            key: key,
            expected: "a text that is not empty",
            defaultText: defaultText,
            help: help,
            isSecret: isSecret,
            example: example,
            isValid: { !$0.isEmpty }
        )
    }

    static func url(_ key: String, default defaultText: String? = nil, help: String) -> Setting {
        Setting(
            key: key,
            expected: "an http or https URL",
            defaultText: defaultText,
            help: help,
            isSecret: false,
            example: defaultText ?? "https://pitchly.example",
            isValid: { text in
                guard let url = URL(string: text), let scheme = url.scheme, let host = url.host() else { return false }
                return ["http", "https"].contains(scheme) && !host.isEmpty
            }
        )
    }

    static func number(_ key: String, _ range: ClosedRange<Int>, default value: Int, help: String) -> Setting {
        Setting(
            key: key,
            expected: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            defaultText: String(value),
            help: help,
            isSecret: false,
            example: String(value),
            isValid: { text in Int(text).map(range.contains) ?? false }
        )
    }

    static func choice(_ key: String, _ values: [String], default value: String, help: String) -> Setting {
        Setting(
            key: key,
            expected: values.count == 1 ? values[0] : "one of " + values.joined(separator: ", "),
            defaultText: value,
            help: help,
            isSecret: false,
            example: value,
            isValid: values.contains
        )
    }

    static func flag(_ key: String, default value: Bool, help: String) -> Setting {
        choice(key, ["true", "false"], default: String(value), help: help)
    }

    static func list(
        _ key: String,
        default defaultText: String? = nil,
        expected: String,
        example: String? = nil,
        help: String,
        isValidItem: @escaping @Sendable (String) -> Bool
    ) -> Setting {
        Setting(
            key: key,
            expected: expected,
            defaultText: defaultText,
            help: help,
            isSecret: false,
            example: example ?? defaultText ?? "",
            isValid: { text in
                let items = text.split(separator: ",", omittingEmptySubsequences: false)
                return !items.isEmpty && items.allSatisfy { isValidItem(String($0)) }
            }
        )
    }
}
