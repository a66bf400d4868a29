import ArgumentParser
import FakePitchly
import Foundation

struct OAuthOptions: ParsableArguments {
    @Option(help: "The app's id.")
    var clientId = OAuthBehaviour().clientID

    @Option(help: "A file that holds the app's secret; a fixed one without it.")
    var clientSecretFile: String?

    @Option(help: "A redirect URI registered for the app, compared exactly; may be given several times.")
    var redirectUri: [String] = []

    @Flag(help: "The consent page answers at once.")
    var autoApprove = false

    @Option(help: "Rotation of refresh tokens: strict, revoke (the family dies on reuse) or grace:SECONDS.")
    var mode = RotationMode.strict

    @Option(help: "How long access tokens live.")
    var accessTokenSeconds = 3_600

    @Option(help: "HTTP status of OAuth errors: 400, or 200 with an error member.")
    var errorStatus = 400

    @Option(help: "Spelling of expires_in: number or numericString.")
    var expiresIn = OAuthBehaviour.ExpiresInSpelling.number

    @Option(help: "Where the client's credentials are accepted: body, basic or either.")
    var clientAuthentication = OAuthBehaviour.ClientAuthentication.body

    @Option(help: "Path of the exchange of an access token for a pair.")
    var accessTokenPath = OAuthBehaviour.AccessTokenExchange().path

    @Option(help: "Its grant type.")
    var accessTokenGrantType = OAuthBehaviour.AccessTokenExchange().grantType

    @Option(help: "Its parameter for the access token.")
    var accessTokenParameter = OAuthBehaviour.AccessTokenExchange().parameter

    func validate() throws {
        guard accessTokenSeconds > 0 else {
            throw ValidationError("expected --access-token-seconds to be 1 or more, got \(accessTokenSeconds)")
        }
        guard (200...499).contains(errorStatus) else {
            throw ValidationError("expected --error-status to be 200 to 499, got \(errorStatus)")
        }
    }

    func apply(to configuration: inout FakePitchlyConfiguration) throws {
        configuration.oauth.clientID = clientId
        if let clientSecretFile {
            let text = try String(contentsOfFile: clientSecretFile, encoding: .utf8)
            configuration.oauth.clientSecret = text.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        if !redirectUri.isEmpty { configuration.oauth.redirectURIs = redirectUri }
        configuration.oauth.autoApproves = autoApprove
        configuration.oauth.rotation = mode
        configuration.oauth.accessTokenSeconds = accessTokenSeconds
        configuration.oauth.errorStatus = errorStatus
        configuration.oauth.expiresIn = expiresIn
        configuration.oauth.clientAuthentication = clientAuthentication
        configuration.oauth.accessTokenExchange.path = accessTokenPath
        configuration.oauth.accessTokenExchange.grantType = accessTokenGrantType
        configuration.oauth.accessTokenExchange.parameter = accessTokenParameter
    }
}

extension RotationMode: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }

    public var defaultValueDescription: String { "strict" }
}

extension OAuthBehaviour.ExpiresInSpelling: ExpressibleByArgument {}
extension OAuthBehaviour.ClientAuthentication: ExpressibleByArgument {}
