import ArgumentParser

/// The HTTP interface and the page.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves the HTTP API, the page for people, probes and metrics, until it is stopped.",
        discussion: """
            Listens on this machine alone unless LEASEHOLD_SERVER_HOST says otherwise; put a proxy with TLS before it \
            and say in LEASEHOLD_SERVER_PUBLIC_URL how browsers reach it. GET /openapi.json describes the API.

              leasehold serve                                     # everything
              leasehold serve --server-roles api,page             # without key ring and spool
              leasehold api-keys create ops --scope admin         # a key for the page and the API
            """
    )

    @OptionGroup var settings: SettingsOptions

    func run() async throws {
        try await Composition(settings, command: "serve").runServer()
    }
}
