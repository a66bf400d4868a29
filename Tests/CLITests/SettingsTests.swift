import ArgumentParser
import Foundation
import LeaseholdCore
import Testing

@testable import LeaseholdCLI

@Suite struct SettingsTests {
    @Test func flagsWinOverTheEnvironmentWhichWinsOverTheFile() throws {
        let file = try temporaryFile(#"{"worker": {"concurrency": 1, "drainSeconds": 7, "queues": ["a", "b"]}}"#)
        let loaded = try SettingsLoader(
            flags: ["worker.concurrency": "3"],
            configFile: file,
            environment: ["LEASEHOLD_WORKER_CONCURRENCY": "2", "LEASEHOLD_WORKER_HEARTBEAT_SECONDS": "9"]
        )
        #expect(loaded.number("worker.concurrency") == 3)
        #expect(loaded.number("worker.heartbeatSeconds") == 9)
        #expect(loaded.number("worker.drainSeconds") == 7)
        #expect(loaded.text("worker.queues") == "a,b")
        #expect(loaded.text("pitchly.dialect") == "platform")
        #expect(loaded.source(of: "worker.drainSeconds") == file)
        #expect(loaded.source(of: "pitchly.dialect") == "default")
    }

    @Test func anUnknownVariableIsRefusedWithTheNameThatWasMeant() throws {
        let error = #expect(throws: SettingsError.self) {
            try SettingsLoader(flags: [:], configFile: nil, environment: ["LEASEHOLD_DATABSE_URL": "x"])
        }
        #expect(error?.label == "setting_unknown")
        #expect(error?.hint == "rename LEASEHOLD_DATABSE_URL to LEASEHOLD_DATABASE_URL")
    }

    @Test func anUnknownMemberOfTheFileIsRefused() throws {
        let file = try temporaryFile(#"{"worker": {"concurency": 1}}"#)
        let error = #expect(throws: SettingsError.self) {
            try SettingsLoader(flags: [:], configFile: file, environment: [:])
        }
        #expect(error?.message.contains(#"did you mean "worker.concurrency""#) == true)
    }

    @Test(arguments: [
        ("worker.concurrency", "0"), ("worker.concurrency", "many"), ("pitchly.apiURL", "ftp://x"),
        ("logFormat", "xml"), ("worker.queues", "a,,b"), ("pitchly.dialect", "v3"), ("keyringFile", ""),
    ])
    func aValueThatIsNotAllowedSaysWhatWasExpectedAndWhatCame(key: String, value: String) throws {
        let error = try #require(
            #expect(throws: SettingsError.self) {
                try SettingsLoader(flags: [key: value], configFile: nil, environment: [:])
            }
        )
        #expect(error.label == "setting_invalid")
        #expect(error.message.contains("expected LEASEHOLD_"))
        #expect(error.message.contains("got \"\(value)\""))
        #expect(error.hint != nil)
    }

    @Test func aSecretThatIsRefusedIsNotShown() throws {
        let error = #expect(throws: SettingsError.self) {
            try SettingsLoader(flags: [:], configFile: nil, environment: ["LEASEHOLD_PITCHLY_CLIENT_SECRET": ""])
        }
        #expect(error?.message.contains("<redacted>") == true)
    }

    @Test func aFileThatIsNoObjectIsRefused() throws {
        let file = try temporaryFile("[1]")
        let error = #expect(throws: SettingsError.self) {
            try SettingsLoader(flags: [:], configFile: file, environment: [:])
        }
        #expect(error?.label == "settings_file_unreadable")
    }

    @Test func everySettingThatIsNotSecretHasItsFlagAndNoOther() throws {
        let expected = Set(SettingsCatalog.all.filter { !$0.isSecret }.map(\.key))
        var arguments: [String] = []
        for setting in SettingsCatalog.all where !setting.isSecret {
            arguments += [try #require(setting.flag), setting.example]
        }
        let options = try SettingsOptions.parse(arguments)
        #expect(Set(options.given.keys) == expected)
    }

    @Test func everyDefaultAndEveryExampleIsAllowed() {
        for setting in SettingsCatalog.all {
            #expect(setting.defaultText.map(setting.isValid) != false, "\(setting.key)")
            #expect(setting.isValid(setting.example), "\(setting.key)")
        }
    }

    @Test func theNamesOfTheEnvironmentAreThoseOfTheConfigurationLibrary() {
        #expect(
            Set(SettingsCatalog.all.map(\.environmentName)).isSuperset(of: [
                "LEASEHOLD_DATABASE_URL", "LEASEHOLD_PITCHLY_OAUTH_ORIGIN", "LEASEHOLD_PITCHLY_API_URL",
                "LEASEHOLD_PITCHLY_CLIENT_ID", "LEASEHOLD_PITCHLY_CLIENT_SECRET",
                "LEASEHOLD_PITCHLY_CLIENT_SECRET_FILE", "LEASEHOLD_PITCHLY_DIALECT", "LEASEHOLD_KEYRING_FILE",
                "LEASEHOLD_SPOOL_DIR", "LEASEHOLD_LOG_LEVEL", "LEASEHOLD_LOG_FORMAT",
            ])
        )
    }

    private func temporaryFile(_ text: String) throws -> String {
        let url = FileManager.default.temporaryDirectory.appending(path: "leasehold-\(UUID().uuidString).json")
        try Data(text.utf8).write(to: url)
        return url.path()
    }
}
