import Configuration
import Foundation
import LeaseholdCore

/// Collects settings from flags, the environment and a JSON file, in this order of precedence, and
/// refuses names and values that are not in the catalogue.
struct SettingsLoader {
    private let reader: ConfigReader
    private let sources: [Source]

    private struct Source {
        /// In the words of an error message.
        let name: String
        let values: [String: String]
    }

    /// - Parameters:
    ///   - flags: by key of the setting, only those given.
    ///   - configFile: from `--config-file`; `LEASEHOLD_CONFIG_FILE` counts if it is nil.
    /// - Throws: ``SettingsError`` for an unknown name, a value not allowed, or an unreadable file.
    init(flags: [String: String], configFile: String?, environment: [String: String]) throws {
        var sources = [
            Source(name: "the command line", values: flags),
            Source(name: "the environment", values: try Self.knownVariables(in: environment)),
        ]
        if let path = configFile ?? environment[SettingsCatalog.configFileName] {
            sources.append(Source(name: path, values: try Self.values(inFile: path)))
        }
        for source in sources {
            for setting in SettingsCatalog.all {
                guard let value = source.values[setting.key], !setting.isValid(value) else { continue }
                throw SettingsError.invalid(
                    name: setting.environmentName,
                    source: source.name,
                    expected: setting.expected,
                    got: setting.isSecret ? "<redacted>" : value,
                    example: setting.example
                )
            }
        }
        self.sources = sources
        self.reader = ConfigReader(
            providers: sources.map { source in
                InMemoryProvider(
                    name: source.name,
                    values: Dictionary(
                        uniqueKeysWithValues: source.values.map { key, value in
                            (AbsoluteConfigKey(ConfigKey(key)), ConfigValue(.string(value), isSecret: false))
                        }
                    )
                )
            }
        )
    }

    /// The value in force, checked; nil where there is neither a value nor a default.
    func text(_ key: String) -> String? {
        reader.string(forKey: ConfigKey(key)) ?? SettingsCatalog.all.first { $0.key == key }?.defaultText
    }

    /// - Throws: ``SettingsError/missing(name:purpose:example:)``.
    func required(_ key: String, purpose: String) throws -> String {
        if let value = text(key) { return value }
        let setting = SettingsCatalog.all.first { $0.key == key }
        throw SettingsError.missing(
            name: setting?.environmentName ?? key,
            purpose: purpose,
            example: setting?.example ?? "…"
        )
    }

    /// Only for settings of the catalogue that are whole numbers with a default.
    func number(_ key: String) -> Int { text(key).flatMap { Int($0) } ?? 0 }

    /// Only for settings of the catalogue that are `true` or `false`.
    func isOn(_ key: String) -> Bool { text(key) == "true" }

    /// Only for settings of the catalogue that are lists.
    func list(_ key: String) -> [String] { text(key)?.split(separator: ",").map(String.init) ?? [] }

    /// Where the value in force comes from, for `leasehold settings`.
    func source(of key: String) -> String {
        sources.first { $0.values[key] != nil }?.name ?? "default"
    }

    private static func knownVariables(in environment: [String: String]) throws -> [String: String] {
        let byName = Dictionary(uniqueKeysWithValues: SettingsCatalog.all.map { ($0.environmentName, $0.key) })
        var values: [String: String] = [:]
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where name.hasPrefix("LEASEHOLD_") {
            if let key = byName[name] {
                values[key] = value
            } else if name != SettingsCatalog.configFileName && !name.hasPrefix("LEASEHOLD_TEST_") {
                throw SettingsError.unknown(
                    name: name,
                    source: "the environment",
                    suggestion: nearestName(to: name, among: byName.keys.sorted())
                )
            }
        }
        return values
    }

    private static func values(inFile path: String) throws -> [String: String] {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw SettingsError.unreadableFile(path: path, reason: "it cannot be read")
        }
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw SettingsError.unreadableFile(path: path, reason: "expected a JSON object, got something else")
        }
        let values = flattened(object, prefix: "")
        let known = SettingsCatalog.all.map(\.key)
        if let unknown = values.keys.sorted().first(where: { !known.contains($0) }) {
            throw SettingsError.unknown(name: unknown, source: path, suggestion: nearestName(to: unknown, among: known))
        }
        return values
    }

    private static func flattened(_ object: [String: Any], prefix: String) -> [String: String] {
        var values: [String: String] = [:]
        for (name, value) in object {
            if let nested = value as? [String: Any] {
                values.merge(flattened(nested, prefix: prefix + name + ".")) { first, _ in first }
            } else if let list = value as? [Any] {
                values[prefix + name] = list.map { "\($0)" }.joined(separator: ",")
            } else {
                values[prefix + name] = "\(value)"
            }
        }
        return values
    }
}
