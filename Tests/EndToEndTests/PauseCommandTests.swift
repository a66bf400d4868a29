import FakePitchly
import Foundation
import Testing

extension EndToEndTests {
    @Suite struct PauseCommandTests {
        @Test func whatIsPausedSaysSoAndGoesOnWhenItIsResumed() async throws {
            try await World.with {
                $0.data.organizations = 1
            } _: { world in
                try world.expectSuccess(try await world.leasehold("tenants", "add", "acme"))
                try world.expectSuccess(
                    try await world.leasehold("schedules", "add", "nightly", "report.build", "--every", "1h")
                )
                for (command, noun, name) in [
                    ("queues", "queue", "mail"), ("kinds", "kind", "report.build"),
                    ("schedules", "schedule", "nightly"), ("tenants", "tenant", "acme"),
                ] {
                    for (verb, state) in [("pause", "paused"), ("resume", "active")] {
                        let answer = try await world.leasehold(command, verb, name, "--json")
                        #expect(answer.status == 0, "\(command) \(verb): \(answer.errors)")
                        let said = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: String]
                        #expect(said == [noun: name, "state": state])
                        let listed = try await world.leasehold(command, "list")
                        let line = listed.output.split(separator: "\n").first { $0.contains(name) }
                        // A queue or kind without settings of its own, a worker or jobs is not listed.
                        #expect(line?.contains(state) ?? (state == "active"), "\(listed.output)\(listed.errors)")
                    }
                    let refused = try await world.leasehold(command, "pause", "no such name")
                    #expect(refused.status != 0 && refused.errors.contains("Error: "), "\(refused.errors)")
                }
            }
        }
    }
}
