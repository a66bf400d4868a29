import ArgumentParser
import FakePitchly
import Foundation
import LeaseholdCore
import Logging
import Pitchly
import Testing

@testable import LeaseholdCLI

@Suite struct DoctorTests {
    @Test func theGravestFindingDecidesTheExitStatus() throws {
        var report = DoctorReport()
        #expect(report.exitStatus == 0 && report.level == .ok)
        for (level, status) in [(.ok, 0), (.note, 0), (.warning, 1), (.ok, 1), (.problem, 2)]
            as [(Finding.Level, Int32)]
        {
            report.add(Finding(level, "a.check", "text"))
            #expect(report.exitStatus == status)
        }
    }

    @Test func aCheckThatThrowsIsAProblemWithTheErrorsAdvice() async {
        var report = DoctorReport()
        await report.check("a.check") {
            throw SettingsError.missing(name: "LEASEHOLD_X", purpose: "a purpose", example: "y")
        }
        await report.check("b.check") { [Finding(.ok, "b.check", "fine")] }
        #expect(report.findings.map(\.level) == [.problem, .ok])
        #expect(report.findings[0].command == "export LEASEHOLD_X=y")
    }

    @Test func peopleReadLinesAndProgramsReadJSON() throws {
        var report = DoctorReport()
        report.add(Finding(.warning, "a.check", of: "acme", "expected \"x\", got y", command: "do z"))
        report.add(Finding(.ok, "b.check", "fine"))
        #expect(
            report.text() == """
                warning  a.check acme: expected "x", got y
                         Try: do z
                ok       b.check: fine
                0 problem, 1 warning, 0 note, 1 ok
                """
        )
        let json = try JSONSerialization.jsonObject(with: Data(report.json().utf8)) as? NSDictionary
        let findings: [[String: String]] = [
            [
                "level": "warning", "check": "a.check", "subject": "acme", "message": "expected \"x\", got y",
                "command": "do z",
            ], ["level": "ok", "check": "b.check", "message": "fine"],
        ]
        #expect(json == ["level": "warning", "findings": findings])
    }

    private struct FixedToken: AccessTokenProvider {
        let token: String
        func accessToken(replacing failedGeneration: Int64?) async throws -> PitchlyAccessToken {
            PitchlyAccessToken(token: Secret(token), generation: 1)
        }
    }

    /// The findings for a fake that is changed like this.
    private func findings(
        ahead: Duration = .zero,
        _ change: (inout FakePitchlyConfiguration) -> Void = { _ in }
    ) async throws -> [Finding] {
        var configuration = FakePitchlyConfiguration()
        change(&configuration)
        return try await FakePitchlyServer.withServer(configuration) { server in
            server.clock.advance(by: ahead)
            let settings = try SettingsLoader(
                flags: ["pitchly.oauthOrigin": server.oauthOrigin, "pitchly.apiURL": server.apiURL],
                configFile: nil,
                environment: [:]
            )
            let composition = Composition(settings: settings, logger: Logger(label: "doctor"))
            return try await composition.withTransport { transport in
                let checkup = PitchlyCheckup(settings: settings, transport: transport)
                let token = try server.makeSession(organization: server.organizationIDs[0])
                let client = try composition.makePitchlyAPI(transport: transport)
                    .client(for: try TenantID("acme"), tokens: FixedToken(token: token), logger: composition.logger)
                return await checkup.endpoints() + checkup.schema(client)
            }
        }
    }

    @Test func pitchlyAsAssumedHasNoProblem() async throws {
        let findings = try await findings()
        #expect(findings.allSatisfy { $0.level == .ok || $0.level == .note }, "\(findings)")
        #expect(
            findings.filter { $0.check == "pitchly.schema" }.compactMap(\.subject) == [
                "platform_workspaces.graphql", "platform_workspace.graphql", "platform_table.graphql",
                "platform_records.graphql", "platform_update.graphql",
            ]
        )
        #expect(
            Set(findings.map(\.check)) == [
                "pitchly.token_endpoint", "pitchly.clock", "pitchly.certificate", "pitchly.schema",
            ]
        )
        // Tokens and data come from one address here.
        #expect(findings.count { $0.check == "pitchly.certificate" } == 1)
    }

    @Test func aChangedSchemaIsToldWithDocumentPlaceAndRemedy() async throws {
        let findings = try await findings { configuration in
            configuration.api.platformSchema = APISettings.carriedPlatformSchema
                .replacing("first: Int,", with: "limit: Int,").replacing("totalCount: Int", with: "totalCount: String")
        }
        let problem = try #require(findings.first { $0.level == .problem })
        #expect(problem.subject == "platform_records.graphql")
        #expect(problem.message.hasPrefix("Query.recordsConnection(first:) is missing"))
        #expect(problem.command?.contains("LEASEHOLD_PITCHLY_DOCUMENTS") == true)
        #expect(findings.count { $0.level == .problem } == 1 && findings.count { $0.level == .warning } == 1)
        #expect(findings.contains { $0.level == .ok && $0.subject == "platform_table.graphql" })
    }

    @Test func aClockThatIsOffAndAHiddenSchemaAreWarnings() async throws {
        let findings = try await findings(ahead: .seconds(600)) { $0.api.introspection = .disabled }
        let warnings = findings.filter { $0.level == .warning }
        #expect(warnings.map(\.check) == ["pitchly.clock", "pitchly.schema"], "\(findings)")
        #expect(warnings.first?.message.contains("behind") == true)
    }
}
