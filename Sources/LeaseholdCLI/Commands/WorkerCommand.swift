import ArgumentParser
import Foundation
import LeaseholdCore

/// Claims and runs jobs, and keeps the tenants' credentials fresh.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Claims and runs jobs and refreshes credentials, until it is stopped.",
        discussion: """
            SIGTERM or SIGINT: claims nothing more, lets running jobs finish for LEASEHOLD_WORKER_DRAIN_SECONDS, then \
            hands them back without counting the attempt. A second signal skips the wait. An exchange under way is \
            always waited for.

              leasehold worker                              # jobs and refresh
              leasehold worker --worker-roles refresh       # exchanges in a process of their own
            """
    )

    @OptionGroup var settings: SettingsOptions
    @Option(help: "Shown beside the worker in tables and logs; HOST:PID if it is not given.") var name: String?

    func run() async throws {
        let composition = try Composition(settings, command: "worker")
        let process = ProcessInfo.processInfo
        try await composition.runWorker(name: name ?? "\(process.hostName):\(process.processIdentifier)")
    }
}
