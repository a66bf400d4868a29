import Foundation
import LeaseholdCore

/// An absolute http or https URL without credentials, query or fragment, so that it is safe to show.
///
/// Tokens travel to it, so plain http is refused except to the own machine or when it is allowed
/// explicitly.
package struct PitchlyURL: Sendable, Hashable, CustomStringConvertible {
    private let text: String
    /// Host and, where it is not the scheme's own, port.
    package let host: String

    /// - Parameter setting: names the setting in the error, for example `LEASEHOLD_PITCHLY_API_URL`.
    package init(
        _ text: String,
        setting: String,
        allowsPlainHTTP: Bool = false
    ) throws(PitchlySettingError) {
        func refuse(
            _ got: String,
            expected: String = "a URL such as https://api.pitchly.com/graphql"
        )
            -> PitchlySettingError
        {
            PitchlySettingError(setting: setting, expected: expected, got: got)
        }
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            let name = parts.host, !name.isEmpty
        else { throw refuse("\"\(text.prefix(200))\"") }
        guard scheme == "https" || scheme == "http" else { throw refuse("scheme \"\(scheme)\"") }
        guard parts.user == nil, parts.password == nil else { throw refuse("a URL with a user or password in it") }
        guard parts.query == nil, parts.fragment == nil else { throw refuse("a URL with a query or fragment") }
        guard scheme == "https" || allowsPlainHTTP || Self.isLoopback(name) else {
            throw refuse("plain http to \(name)", expected: "https, because tokens travel to it")
        }
        var trimmed = text
        while trimmed.hasSuffix("/") { trimmed.removeLast() }
        self.text = trimmed
        self.host = parts.port.map { "\(name):\($0)" } ?? name
    }

    package var description: String { text }

    func appending(path: String) -> String {
        path.hasPrefix("/") ? text + path : "\(text)/\(path)"
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "[::1]" || host == "::1" || host.hasPrefix("127.")
    }
}

/// A setting of the Pitchly client that cannot be used.
package struct PitchlySettingError: ExplainedError, Equatable {
    package let setting: String
    package let expected: String
    package let got: String

    package var label: String { "bad_pitchly_setting" }
    package var message: String { "expected \(setting) to be \(expected), got \(got)" }
    package var hint: String? {
        guard DialectDocuments.names.contains(setting) else { return nil }
        return "mend \(setting) in the folder that \(DialectDocuments.setting) names, or take it away"
    }
}
