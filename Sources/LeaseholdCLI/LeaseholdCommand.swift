import ArgumentParser
import Configuration

@main struct LeaseholdCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "leasehold")
}
