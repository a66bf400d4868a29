import ArgumentParser
import Foundation
import LeaseholdCore
import Pitchly

/// Checks everything that this machine can see of the service.
struct DoctorServiceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "service",
        abstract: "Checks database, roles, workers, lanes, leases, credentials, key ring, spool and provider.",
        discussion: """
            What plain `leasehold doctor` does. Checks of the key ring, the spool and Pitchly are made where their \
            settings are given. Exit status: 0 all is well, 1 a warning, 2 a problem.

              leasehold doctor
              leasehold doctor service --offline --json
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Flag(help: "Ask nothing outside the database and this machine.") var offline = false

    func run() async throws {
        var report = DoctorReport()
        let composition = try Composition(settings, command: "doctor")
        await report.check("database.connection") {
            try await composition.withPool(needsSchema: false) { pool in
                await ServiceCheckup(pool: pool, logger: composition.logger).findings()
            }
        }
        report.add(await MachineCheckup(composition: composition).findings())
        if !offline, composition.settings.text("pitchly.clientID") != nil {
            await report.check("pitchly.token_endpoint") {
                try await composition.withTransport { transport in
                    await PitchlyCheckup(settings: composition.settings, transport: transport).endpoints()
                }
            }
        }
        try report.finish(output)
    }
}
