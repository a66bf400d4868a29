import ArgumentParser
import Foundation
import LeaseholdCore
import Pitchly

/// Compares what this program assumes of Pitchly with what answers at the configured addresses.
struct DoctorPitchlyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pitchly",
        abstract: "Checks Pitchly's token endpoint, certificates and clock.",
        discussion: """
            Sends no secret: the token endpoint is asked without a client and without a token.

              leasehold doctor pitchly
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        var report = DoctorReport()
        await report.check("settings") {
            let composition = try Composition(settings, command: "doctor")
            return try await composition.withTransport { transport in
                await PitchlyCheckup(settings: composition.settings, transport: transport).endpoints()
            }
        }
        try report.finish(output)
    }
}
