import ArgumentParser
import LeaseholdCore

/// Shows every setting, the value in force and where it comes from; never a secret.
struct SettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings",
        abstract: "Lists every setting with the value in force and where it comes from.",
        discussion: "  leasehold settings --json"
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let loader = try settings.load()
        var table = Table(columns: ["setting", "environment", "value", "from", "meaning"])
        for setting in SettingsCatalog.all {
            let value = loader.text(setting.key)
            table.add([
                setting.key, setting.environmentName, setting.isSecret && value != nil ? "<redacted>" : value,
                value == nil ? nil : loader.source(of: setting.key), setting.help,
            ])
        }
        output.show(table)
    }
}
