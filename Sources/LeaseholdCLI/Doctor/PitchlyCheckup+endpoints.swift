import Foundation
import LeaseholdCore
import Pitchly

extension PitchlyCheckup {
    /// Whether the two addresses are reached, are who they say they are, and keep the time.
    func endpoints() async -> [Finding] {
        var report = DoctorReport()
        await report.check("pitchly.token_endpoint") {
            let origin = try url("pitchly.oauthOrigin", setting: "LEASEHOLD_PITCHLY_OAUTH_ORIGIN")
            let probe = await EndpointProbe.tokenEndpoint(of: origin, transport: transport, wallClock: wallClock)
            return [Self.tokenEndpoint(probe, origin)] + Self.clock(probe, origin)
        }
        await report.check("pitchly.certificate") {
            let origin = try url("pitchly.oauthOrigin", setting: "LEASEHOLD_PITCHLY_OAUTH_ORIGIN")
            let api = try settings.pitchlyAPIURL()
            var findings: [Finding] = []
            for address in api.host == origin.host ? [origin] : [origin, api] {
                findings.append(
                    Self.certificate(await CertificateProbe.look(at: address), address, now: wallClock.now())
                )
            }
            return findings
        }
        return report.findings
    }

    private func url(_ key: String, setting: String) throws -> PitchlyURL {
        try PitchlyURL(settings.text(key) ?? "", setting: setting)
    }

    static func tokenEndpoint(_ probe: EndpointProbe, _ origin: PitchlyURL) -> Finding {
        let check = "pitchly.token_endpoint"
        switch probe.outcome {
        case .refusesProperly(let status, let error):
            return Finding(
                .ok,
                check,
                of: origin.host,
                "refuses a request without client and token as RFC 6749 says: status \(status), error \"\(error)\""
            )
        case .accepts(let status):
            return Finding(
                .warning,
                check,
                of: origin.host,
                "expected a refusal of a request without client and token, got status \(status) without an error",
                command: "check LEASEHOLD_PITCHLY_OAUTH_ORIGIN: something else may be answering"
            )
        case .other(let status, let contentType):
            return Finding(
                .problem,
                check,
                of: origin.host,
                "expected a JSON object with \"error\" (RFC 6749 section 5.2), got status \(status), "
                    + (contentType.map { "content type \($0.prefix(80))" } ?? "no content type"),
                command: "check LEASEHOLD_PITCHLY_OAUTH_ORIGIN: POST \(probe.url) must be Pitchly's token endpoint"
            )
        case .unreachable(let reason):
            return Finding(
                .problem,
                check,
                of: origin.host,
                "expected an answer from \(probe.url), got none: \(reason)",
                command: "curl -i -X POST \(probe.url)"
            )
        }
    }

    static func clock(_ probe: EndpointProbe, _ origin: PitchlyURL) -> [Finding] {
        let check = "pitchly.clock"
        guard case .unreachable = probe.outcome else {
            guard let skew = probe.skew else {
                return [Finding(.note, check, of: origin.host, "its answers carry no Date header to compare with")]
            }
            let text = "this machine's clock is \(String(format: "%.1f", abs(skew))) s \(skew < 0 ? "behind" : "ahead")"
            guard abs(skew) > skewLimit else { return [Finding(.ok, check, of: origin.host, text)] }
            return [
                Finding(
                    .warning,
                    check,
                    of: origin.host,
                    "expected clocks at most \(Int(skewLimit)) s apart; \(text)",
                    command: "timedatectl timesync-status"
                )
            ]
        }
        return []
    }

    static func certificate(_ probe: CertificateProbe, _ address: PitchlyURL, now: Date) -> Finding {
        let check = "pitchly.certificate"
        switch probe {
        case .plain:
            return Finding(.note, check, of: address.host, "plain http: nothing is encrypted and nobody is verified")
        case .valid(let until):
            let days = until.timeIntervalSince(now) / 86_400
            let text = "valid for \(Int(days)) days, until \(Times.stamp(until) ?? "")"
            guard days < certificateDays else { return Finding(.ok, check, of: address.host, text) }
            return Finding(
                .warning,
                check,
                of: address.host,
                text,
                command: "ask Pitchly to renew it; see: openssl s_client -connect \(address.host):443"
            )
        case .refused(let reason):
            return Finding(
                .problem,
                check,
                of: address.host,
                "expected a certificate that this machine trusts, got: \(reason)",
                command: "openssl s_client -connect \(address.host):443 -verify_return_error"
            )
        case .unreachable(let reason):
            return Finding(.problem, check, of: address.host, "expected a TLS connection, got none: \(reason)")
        }
    }
}
