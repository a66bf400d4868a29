import FakePitchly
import Foundation
import LeaseholdCore
import Pitchly
import TestSupport
import Testing

@Suite("Probing the token endpoint")
struct EndpointProbeTests {
    private func ask(
        _ fault: Fault? = nil,
        ahead: Duration = .zero,
        path: String = "/api/oauth/token"
    ) async throws -> (EndpointProbe, FakePitchlyServer) {
        try await FakePitchlyServer.withServer { server in
            try await PitchlyTransport.withTransport { transport in
                server.clock.advance(by: ahead)
                if let fault { server.faults.add(FaultRule(fault, at: .token)) }
                let origin = try PitchlyURL(server.oauthOrigin, setting: "test")
                let probe = await EndpointProbe.tokenEndpoint(of: origin, path: path, transport: transport)
                return (probe, server)
            }
        }
    }

    @Test("finds one that refuses properly, presents nothing and measures the clock")
    func proper() async throws {
        let (probe, server) = try await ask()
        guard case .refusesProperly(let status, let error) = probe.outcome else {
            Issue.record("expected a refusal, got \(probe.outcome)")
            return
        }
        #expect((400...401).contains(status) && error.hasPrefix("invalid_"))
        #expect(abs(try #require(probe.skew)) < 5)
        #expect(server.totals.succeeded.isEmpty)
    }

    @Test("tells how far the clocks are apart")
    func skew() async throws {
        let skew = try #require(try await ask(ahead: .seconds(3600)).0.skew)
        #expect((-3605 ... -3595).contains(skew))
    }

    @Test("finds what is no token endpoint")
    func others() async throws {
        let html = try await ask(.answer(.init(status: 502, body: .html), .before)).0
        guard case .other(status: 502, let type) = html.outcome else {
            Issue.record("expected another answer, got \(html.outcome)")
            return
        }
        #expect(type?.contains("html") == true)
        guard case .unreachable = try await ask(.close(.before, isReset: true)).0.outcome else {
            Issue.record("expected no answer")
            return
        }
    }
}
