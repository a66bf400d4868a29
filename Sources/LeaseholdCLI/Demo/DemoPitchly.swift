import Foundation
import FoundationNetworking
import LeaseholdCore

/// The fake Pitchly of the demo, asked through its control plane. The product itself never does.
struct DemoPitchly: Sendable {
    let origin: String

    struct Organization: Decodable, Sendable {
        struct Table: Decodable, Sendable {
            let id: String
        }
        let id: String
        let name: String
        let tables: [Table]
    }

    struct Ledger: Decodable, Sendable {
        struct Organization: Decodable, Sendable {
            let id: String
            let succeeded: [String: Int]
            let presentedTwice: Int
        }
        let organizations: [Organization]
    }

    func organizations() async throws -> [Organization] { try await get("organizations") }

    /// What reached the token endpoint, counted by Pitchly's side.
    func ledger() async throws -> Ledger { try await get("ledger") }

    /// The access token of a user's session in the organisation: where the seed's flow begins.
    func session(of organization: String) async throws -> Secret {
        struct Session: Decodable { let access_token: String }
        var request = URLRequest(url: try url("sessions"))
        request.httpMethod = "POST"
        request.httpBody = try JSONEncoder().encode(["organization": organization])
        return Secret(try JSONDecoder().decode(Session.self, from: try await send(request)).access_token)
    }

    /// Every token that was ever given out: what must not be found anywhere.
    func secrets() async throws -> [String] {
        String(decoding: try await send(URLRequest(url: try url("tokens"))), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    /// Every record of a table as the source has it, one line of JSON each.
    func records(of table: String) async throws -> Data {
        try await send(URLRequest(url: try url("tables/\(table)/records")))
    }

    private func get<Answer: Decodable>(_ path: String) async throws -> Answer {
        try JSONDecoder().decode(Answer.self, from: try await send(URLRequest(url: try url(path))))
    }

    private func url(_ path: String) throws -> URL {
        guard let url = URL(string: "\(origin)/_fake/\(path)") else {
            throw DemoError(what: "an address of the fake Pitchly", got: origin, hint: nil)
        }
        return url
    }

    private func send(_ request: URLRequest) async throws -> Data {
        let (data, response) = try await URLSession.shared.data(for: request)
        guard let status = (response as? HTTPURLResponse)?.statusCode, status == 200 else {
            throw DemoError(
                what: "an answer of the fake Pitchly to \(request.url?.path() ?? "a request")",
                got: "another status",
                hint: "look at fake-pitchly.log"
            )
        }
        return data
    }
}
