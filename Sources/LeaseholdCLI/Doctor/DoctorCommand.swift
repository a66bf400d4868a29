import ArgumentParser

/// Looks for what is wrong or soon will be. Each group of checks is a subcommand in a file of its own.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Looks for what is wrong or soon will be, and says what to do about it.",
        discussion: """
            Changes nothing. Exit status, for monitoring: 0 all is well, 1 a warning, 2 a problem.

              leasehold doctor
              leasehold doctor --json | jq '.findings[] | select(.level == "problem")'
            """,
        subcommands: [DoctorServiceCommand.self, DoctorPitchlyCommand.self],
        defaultSubcommand: DoctorServiceCommand.self
    )
}
