import AsyncHTTPClient
import FakePitchly
import NIOCore
import NIOHTTP1
import Testing

/// A client of the fake that knows nothing but HTTP.
struct FakeClient {
    let server: FakePitchlyServer

    struct Answer {
        let status: Int
        let headers: [String: String]
        let body: String

        /// Null where the body is no JSON.
        var json: JSONValue { (try? JSONParser.parse(body)) ?? .null }

        /// Of an OAuth error.
        var error: String? { json["error"].stringValue }
        var accessToken: String { json["access_token"].stringValue ?? "" }
        var refreshToken: String { json["refresh_token"].stringValue ?? "" }
    }

    static func send(
        _ method: String,
        _ url: String,
        headers: [(String, String)] = [],
        body: String? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .init(rawValue: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await client.execute(request, timeout: .seconds(30))
        let bytes = try await response.body.collect(upTo: 64 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: Dictionary(
                response.headers.map { ($0.name.lowercased(), $0.value) },
                uniquingKeysWith: { first, _ in first }
            ),
            body: String(buffer: bytes)
        )
    }

    func send(
        _ method: String,
        _ url: String,
        headers: [(String, String)] = [],
        body: String? = nil
    ) async throws -> Answer {
        try await Self.send(method, url, headers: headers, body: body)
    }

    /// Follows no redirect: a test wants to see it.
    private static let client = HTTPClient(
        eventLoopGroupProvider: .singleton,
        configuration: .init(redirectConfiguration: .disallow)
    )

    /// POSTs a form to the token endpoint, with the app's credentials unless `fields` has others.
    func token(_ fields: [(String, String)], path: String = FakePaths.token) async throws -> Answer {
        var all = fields
        if !fields.contains(where: { $0.0 == "client_id" }) {
            all += [
                ("client_id", server.configuration.oauth.clientID),
                ("client_secret", server.configuration.oauth.clientSecret),
            ]
        }
        return try await send(
            "POST",
            server.oauthOrigin + path,
            headers: [("content-type", "application/x-www-form-urlencoded")],
            body: all.map { "\($0.0)=\(Self.encode($0.1))" }.joined(separator: "&")
        )
    }

    func refresh(_ token: String) async throws -> Answer {
        try await self.token([("grant_type", "refresh_token"), ("refresh_token", token)])
    }

    func graphQL(
        _ query: String,
        _ variables: JSONValue = [:],
        token: String? = nil,
        url: String? = nil
    ) async throws -> Answer {
        let body: JSONValue = ["query": .string(query), "variables": variables]
        return try await send(
            "POST",
            url ?? server.apiURL,
            headers: [("content-type", "application/json")] + (token.map { [("authorization", "Bearer \($0)")] } ?? []),
            body: body.text
        )
    }

    func control(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> Answer {
        try await send(method, server.oauthOrigin + FakePaths.control + path, body: body?.text)
    }

    static func encode(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            return character.isASCII && (character.isLetter || character.isNumber)
                ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}

/// A fake with one small and one large organisation, unless `change` says otherwise.
func withFake<Result>(
    _ change: (inout FakePitchlyConfiguration) -> Void = { _ in },
    _ body: (FakePitchlyServer, FakeClient) async throws -> Result
) async throws -> Result {
    var configuration = FakePitchlyConfiguration()
    configuration.data.organizations = 3
    configuration.data.largeOrganizations = 1
    configuration.data.recordsPerLargeTable = 300...300
    configuration.data.recordsPerTable = 20...30
    change(&configuration)
    return try await FakePitchlyServer.withServer(configuration) { server in
        try await body(server, FakeClient(server: server))
    }
}
