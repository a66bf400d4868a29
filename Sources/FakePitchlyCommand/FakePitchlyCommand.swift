import ArgumentParser

@main struct FakePitchlyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "fake-pitchly")
}
