import ArgumentParser
import Foundation
import LeaseholdCore

/// The command `leasehold`.
///
/// Exit status: 0 done; 1 it failed, and standard error says what was expected, what came and what
/// to try; 64 the words of the call are off (ArgumentParser's, sysexits' EX_USAGE). `leasehold doctor`
/// and `leasehold sync diff` say in their help what their own statuses mean.
@main
struct LeaseholdCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leasehold",
        abstract: "Background jobs, fair over tenants, on PostgreSQL; keeps each tenant's Pitchly grant alive.",
        discussion: """
            Every setting can be a flag, a variable of the environment or a member of a JSON file; \
            leasehold settings lists them with the values in force.
            """,
        subcommands: [
            MigrateCommand.self, WorkerCommand.self, TenantsCommand.self, EnqueueCommand.self, JobsCommand.self,
            SchedulesCommand.self, QueuesCommand.self, KindsCommand.self, SyncCommand.self, PushCommand.self,
            TokensCommand.self, KeysCommand.self, SettingsCommand.self, DoctorCommand.self, TopCommand.self,
            DemoCommand.self, ServeCommand.self, APIKeysCommand.self, ActionsCommand.self,
        ]
    )

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as any ExplainedError {
            FileHandle.standardError.write(Data("Error: \(error.message)\n".utf8))
            if let hint = error.hint { FileHandle.standardError.write(Data("Try:   \(hint)\n".utf8)) }
            exit(withError: ExitCode.failure)
        } catch {
            exit(withError: error)
        }
    }
}
