import ArgumentParser
import Foundation
import LeaseholdCore
import Pitchly
import PitchlySync

/// Compares what this program assumes of Pitchly with what answers at the configured addresses.
struct DoctorPitchlyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pitchly",
        abstract: "Checks Pitchly's token endpoint, certificates, clock and, with a tenant's grant, its schema.",
        discussion: """
            The token endpoint is asked without a client and without a token. With --tenant the API is asked for \
            its schema, and every document of the dialect is compared with it: which field or argument is missing or \
            typed differently, and which setting mends it. Exit status: 0 all is well, 1 a warning, 2 a problem.

              leasehold doctor pitchly
              leasehold doctor pitchly --tenant acme --json
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "Tenant whose access token asks for the schema.") var tenant: String?

    func run() async throws {
        let tenant = try tenant.map { try TenantID($0) }
        var report = DoctorReport()
        do {
            let composition = try Composition(settings, command: "doctor")
            report.add(
                try await composition.withTransport { transport in
                    await PitchlyCheckup(settings: composition.settings, transport: transport).endpoints()
                }
            )
            await report.check("pitchly.schema") { try await schema(tenant, composition) }
        } catch {
            report.add(Finding("settings", failed: error))
        }
        try report.finish(output)
    }

    private func schema(_ tenant: TenantID?, _ composition: Composition) async throws -> [Finding] {
        guard let tenant else {
            let advice = "leasehold doctor pitchly --tenant TENANT"
            return [Finding(.note, "pitchly.schema", "not compared without a tenant's grant", command: advice)]
        }
        return try await composition.withVaultParts { vault, _, transport in
            let client = try composition.makePitchlyAPI(transport: transport)
                .client(for: tenant, tokens: VaultTokens(vault: vault, tenant: tenant), logger: composition.logger)
            return await PitchlyCheckup(settings: composition.settings, transport: transport).schema(client)
        }
    }
}
