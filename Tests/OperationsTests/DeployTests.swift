import Foundation
import Testing

@testable import LeaseholdCLI

/// What `deploy/` says is what the program knows.
@Suite struct DeployTests {
    private static var texts: [(path: String, text: String)] {
        get throws {
            let files = [".yaml", ".env", ".service", ".ini", ".md", ".sql", "Dockerfile"].flatMap {
                Checkout.files(in: "deploy", endingWith: $0)
            }
            return try files.map { ($0, try Checkout.text($0)) }
        }
    }

    @Test func everySettingInDeployIsInTheCatalogue() throws {
        let known = Set(SettingsCatalog.all.map(\.environmentName))
        var found: Set<String> = []
        for (path, text) in try Self.texts {
            for match in text.matches(of: /\bLEASEHOLD_[A-Z_]*[A-Z]/) {
                let name = String(match.0)
                // Grafana's own, filled in by its environment.
                if name.hasPrefix("LEASEHOLD_GRAFANA_") { continue }
                #expect(known.contains(name), "\(path) sets \(name), which the program does not know")
                found.insert(name)
            }
        }
        #expect(found.count > 12)
    }

    @Test func everyValueInTheEnvironmentFilesIsAllowed() throws {
        for path in Checkout.files(in: "deploy/systemd", endingWith: ".env") {
            let values = try Self.assignments(Checkout.text(path), separator: "=")
            #expect(values.count > 5, "\(path)")
            _ = try SettingsLoader(flags: [:], configFile: nil, environment: values)
        }
        for path in ["deploy/compose.yaml", "deploy/kubernetes/leasehold.yaml"] {
            let values = try Self.assignments(Checkout.text(path), separator: ": ")
            #expect(values.count > 7, "\(path)")
            _ = try SettingsLoader(flags: [:], configFile: nil, environment: values)
        }
    }

    /// `LEASEHOLD_X=1` or `LEASEHOLD_X: "1"`, the last of each name.
    private static func assignments(_ text: String, separator: String) -> [String: String] {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n").map({ $0.trimmingCharacters(in: .whitespaces) }) {
            guard line.hasPrefix("LEASEHOLD_"), let range = line.range(of: separator) else { continue }
            values[String(line[..<range.lowerBound])] =
                line[range.upperBound...].trimmingCharacters(in: CharacterSet(charactersIn: "\""))
        }
        return values
    }

    @Test func everyAlertHasItsSectionAndEverySectionItsAlert() throws {
        let rules = try Checkout.text("deploy/prometheus/rules.yaml")
        let alerts = rules.matches(of: /- alert: (\w+)/).map { String($0.1) }
        let runbook = try Checkout.text("deploy/runbook.md")
        let sections = runbook.matches(of: /(?m)^## (\w+)$/).map { String($0.1) }
        #expect(alerts.count > 10)
        #expect(alerts == sections)
        for alert in alerts {
            #expect(rules.contains("runbook: runbook.md#\(alert.lowercased())"), "\(alert)")
        }
        for section in runbook.split(separator: "\n## ").dropFirst() {
            for part in ["**You see**", "**Why**", "**Do**", "`"] {
                #expect(section.contains(part), "\(section.prefix(30)) lacks \(part)")
            }
        }
    }

    @Test func everyMetricInTheRulesIsInTheCatalogue() throws {
        let catalog = try Checkout.text("Sources/LeaseholdCLI/MetricCatalog.swift")
        let names = Set(
            try Checkout.text("deploy/prometheus/rules.yaml").matches(of: /leasehold_([a-z_]+)/).map { String($0.1) }
        )
        #expect(names.count > 8)
        for name in names {
            let label = name.replacing(/_(total|bucket|count|sum)$/, with: "")
            #expect(catalog.contains("\"\(label)\""), "leasehold_\(name)")
        }
    }

    @Test func linksInDeployLeadToFiles() throws {
        for (path, text) in try Self.texts where path.hasSuffix(".md") {
            let folder = Checkout.root.appending(path: path).deletingLastPathComponent()
            for match in text.matches(of: /\]\(([^)#:]+)(#[^)]*)?\)/) {
                let target = folder.appending(path: String(match.1)).path()
                #expect(FileManager.default.fileExists(atPath: target), "\(path) links to \(match.1)")
            }
        }
    }

    @Test func rolesInDeployAreThoseThatTheSchemaGrantsTo() throws {
        let schema = try Checkout.text("sql/schema.sql")
        let roles = try Checkout.text("deploy/postgres/roles.sql").matches(of: /'(leasehold_\w+)'/).map { String($0.1) }
        #expect(Set(roles).count == 6)
        for role in Set(roles).subtracting(["leasehold_owner"]) {
            #expect(schema.contains("TO \(role);"), "\(role)")
        }
    }

    /// Every process of the compose file logs in as somebody whom the administrator's script makes, and the
    /// server as one who may look up keys.
    @Test func loginsOfTheComposeFileAreMadeWithWhatTheyNeed() throws {
        let logins = try Checkout.text("deploy/postgres/compose-logins.sql")
        let compose = try Checkout.text("deploy/compose.yaml")
        let users = compose.matches(of: /postgresql:\/\/(\w+):/).map { String($0.1) }
        #expect(users.count == 3)
        for user in users {
            #expect(logins.contains("create role \(user) login"), "\(user)")
        }
        let server = try #require(compose.split(separator: "\n  serve:\n").last)
        let user = try #require(server.firstMatch(of: /postgresql:\/\/(\w+):/)?.1)
        let made = try #require(logins.split(separator: "\n").first { $0.hasPrefix("create role \(user) ") })
        for role in ["leasehold_worker", "leasehold_vault", "leasehold_server"] {
            #expect(made.contains(role))
        }
    }

    /// SwiftPM builds nothing of a package where the folder of any target is missing.
    @Test func theImageIsBuiltFromTheFolderOfEveryTarget() throws {
        let copied = try Checkout.text("deploy/Dockerfile").matches(of: /(?m)^COPY ([\w\/]+) [\w\/]+$/)
            .map { String($0.1) }
        let paths = try Checkout.text("Package.swift").matches(of: /path: "([^"]+)"/).map { String($0.1) }
        #expect(paths.count > 5)
        for path in paths + ["Sources", "Tests"] {
            #expect(copied.contains { path == $0 || path.hasPrefix($0 + "/") }, "\(path) is not in the image")
        }
    }

    @Test func panelsReadTheViewsOfTheProvisionedSource() throws {
        let source = try Checkout.text("deploy/grafana/provisioning/datasources/leasehold.yaml")
        let panels = try GrafanaPanel.all()
        #expect(panels.count > 15)
        for panel in panels {
            #expect(panel.sql.contains("leasehold_dashboard."), "\(panel.title)")
            #expect(panel.dataSource.map { source.contains("uid: \($0)\n") } == true, "\(panel.title)")
        }
    }

    /// Checked where they are installed; scripts/setup installs what Debian has.
    @Test func installedCheckersFindNothing() throws {
        var ran = 0
        for check in Self.checkers {
            guard let found = try Self.run(["sh", "-c", "command -v \(check.program)"]), found.status == 0 else {
                continue
            }
            ran += 1
            let result = try #require(try Self.run(["sh", "-c", check.command]))
            #expect(result.status == 0, "\(check.command): \(result.text)")
        }
        #expect(ran > 0, "none of \(Self.checkers.map(\.program)) is installed. Try: scripts/setup")
    }

    private static let checkers: [(program: String, command: String)] = [
        (
            "promtool",
            "promtool check rules deploy/prometheus/rules.yaml && promtool check config deploy/prometheus/prometheus.yaml"
        ),
        (
            "systemd-analyze",
            // The program and its manual are not installed where the tests run.
            """
            set -e; d=$(mktemp -d); trap 'rm -rf "$d"' EXIT
            for f in deploy/systemd/*.service; do
                sed -e 's|^ExecStart=/usr/local/bin/leasehold|ExecStart=/bin/true|' -e '/^Documentation=/d' "$f" > "$d/$(basename "$f")"
            done
            systemd-analyze verify "$d"/*.service
            """
        ),
        (
            "python3",
            """
            python3 -c 'import yaml' 2>/dev/null || exit 0
            python3 -c 'import glob, sys, yaml
            for f in glob.glob("deploy/**/*.yaml", recursive=True): list(yaml.safe_load_all(open(f)))'
            """
        ),
        ("hadolint", "hadolint deploy/Dockerfile"),
        (
            "kubernetes-validate",
            "kubernetes-validate --strict deploy/kubernetes/leasehold.yaml deploy/kubernetes/network.yaml"
        ),
    ]

    private static func run(_ arguments: [String]) throws -> (status: Int32, text: String)? {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.currentDirectoryURL = Checkout.root
        // Where scripts/setup puts what comes from PyPI.
        let python = Checkout.root.appending(path: ".build/python").path()
        process.environment = ProcessInfo.processInfo.environment.merging([
            "PYTHONPATH": python,
            "PATH": python + "/bin:" + (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"),
        ]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }
}
