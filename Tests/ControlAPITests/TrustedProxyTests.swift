import Foundation
import HTTPTypes
import LeaseholdCore
import Logging
import TestSupport
import Testing

@testable import ControlAPI

@Suite struct TrustedProxyTests {
    private static let ranges = ["10.0.0.0/8", "192.0.2.7", "fd00::/8"]

    private func client(
        of peer: String,
        _ lines: [String],
        _ header: TrustedProxies.Header = .xForwardedFor
    ) throws -> String {
        let proxies = TrustedProxies(try Self.ranges.map { try #require(AddressRange($0)) }, header: header)
        var headers = HTTPFields()
        let name = try #require(HTTPField.Name(header.rawValue))
        for line in lines { headers.append(HTTPField(name: name, value: line)) }
        return proxies.client(of: peer, headers)
    }

    @Test(arguments: [
        // Whoever is no proxy says what he likes.
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"), ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        // What the client itself wrote stands on the left and is not believed.
        ("10.1.2.3", ["6.6.6.6, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.1.2.3", ["6.6.6.6", "198.51.100.1,192.0.2.7"], "198.51.100.1"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::5"), ("::ffff:10.1.2.3", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.1.2.3", ["[2001:db8::5]:4711"], "2001:db8::5"), ("10.1.2.3", ["10.4.4.4"], "10.4.4.4"),
        // Nonsense ends the chain at the last one who was believed.
        ("10.1.2.3", ["198.51.100.1, unknown"], "10.1.2.3"), ("10.1.2.3", ["unknown, 10.5.5.5"], "10.5.5.5"),
        ("10.1.2.3", [", ,"], "10.1.2.3"), ("local", ["198.51.100.1"], "local"),
    ])
    func theFirstThatIsNoProxyIsTheClient(_ peer: String, _ lines: [String], _ expected: String) throws {
        #expect(try client(of: peer, lines) == expected)
    }

    @Test(arguments: [
        (["for=198.51.100.1"], "198.51.100.1"), (["for=6.6.6.6, For=\"198.51.100.1:80\";proto=https"], "198.51.100.1"),
        (["proto=https;for=\"[2001:db8::5]:4711\";by=10.1.1.1"], "2001:db8::5"), (["for=_hidden"], "10.1.2.3"),
        (["by=10.1.1.1"], "10.1.2.3"),
    ])
    func theStandardHeaderIsReadToo(_ lines: [String], _ expected: String) throws {
        #expect(try client(of: "10.1.2.3", lines, .forwarded) == expected)
    }

    @Test func onlyTheChosenHeaderIsBelieved() throws {
        let proxies = TrustedProxies([try #require(AddressRange("10.0.0.0/8"))], header: .forwarded)
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        #expect(proxies.client(of: "10.1.2.3", [name: "198.51.100.1"]) == "10.1.2.3")
    }

    @Test(arguments: [
        "", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/-1", "10.0.0.0/", "localhost", "fd00::/129", "::1/64", "1.2.3",
        "10.0.0.0/8/8", "10.0.0.0/+8",
    ])
    func whatIsNoRangeIsRefused(_ text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test func oneHouseholdOfTheNewInternetIsOneStranger() throws {
        let keys = try ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1", "192.0.2.1"].map {
            try #require(NetworkAddress($0)).limitKey
        }
        #expect(keys == ["2001:db8:1:2::/64", "2001:db8:1:2::/64", "2001:db8:1:3::/64", "192.0.2.1"])
    }

    @Test func behindAProxyEachClientHasALimitOfItsOwn() async throws {
        var settings = ControlSettings()
        settings.proxies = TrustedProxies([try #require(AddressRange("127.0.0.0/8"))])
        try await withServer(settings) { world in
            func guess(from client: String) async throws -> Int {
                try await world.send("GET", "/v1/jobs/1", key: "lsk_guess", headers: [("X-Forwarded-For", client)])
                    .status
            }
            var statuses: [Int] = []
            while statuses.last != 429, statuses.count < 5000 { statuses.append(try await guess(from: "192.0.2.1")) }
            #expect(statuses.last == 429)
            #expect(try await guess(from: "192.0.2.2") == 401)
            let requests = world.log.entries.filter { $0.metadata["event"] == "http_request" }
            #expect(Set(requests.compactMap { $0.metadata["remote"]?.description }) == ["192.0.2.1", "192.0.2.2"])
        }
    }

    @Test func withoutTheSettingTheHeaderIsNotBelieved() async throws {
        try await withServer { world in
            _ = try await world.send("GET", "/v1/jobs/1", headers: [("X-Forwarded-For", "192.0.2.1")])
            let requests = world.log.entries.filter { $0.metadata["event"] == "http_request" }
            #expect(requests.compactMap { $0.metadata["remote"]?.description } == ["127.0.0.1"])
        }
    }
}
