import ArgumentParser
import FakePitchly
import Foundation
import Logging
import ServiceLifecycle
import UnixSignals

/// The fake as a program: prints one line with its address when it is ready and ends on SIGTERM or
/// SIGINT.
@main struct FakePitchlyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fake-pitchly",
        abstract: "An imitation of Pitchly on loopback: OAuth with rotating refresh tokens, GraphQL over seeded data, "
            + "faults on demand.",
        discussion: "What can be asked and changed while it runs is listed at /_fake/ under the printed address."
    )

    @OptionGroup var server: ServerOptions
    @OptionGroup var data: DataOptions
    @OptionGroup var oauth: OAuthOptions
    @OptionGroup var api: APIOptions

    func run() async throws {
        var configuration = FakePitchlyConfiguration()
        server.apply(to: &configuration)
        data.apply(to: &configuration)
        try oauth.apply(to: &configuration)
        api.apply(to: &configuration)
        var logger = Logger(label: "fake-pitchly") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = server.logLevel
        let fake = try FakePitchlyServer(configuration, logger: logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [fake, Announcement(fake: fake, portFile: server.portFile)],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
    }
}

/// Says where the fake is, once it is there.
private struct Announcement: Service {
    let fake: FakePitchlyServer
    let portFile: String?

    func run() async throws {
        let port = try await fake.started()
        if let portFile { try Data("\(port)\n".utf8).write(to: URL(filePath: portFile), options: .atomic) }
        print(
            "fake-pitchly listening on \(fake.oauthOrigin) (GraphQL \(FakePaths.graphQL), control \(FakePaths.control))"
        )
        // A pipe is written in blocks; whoever waits for the line must not wait for the block.
        fflush(nil)
        try await gracefulShutdown()
    }
}
