/// How the HTTP interface listens and what it allows. Checked by whoever reads the settings.
package struct ControlSettings: Sendable {
    /// Address to listen on. Default 127.0.0.1, so that nothing is open by accident.
    package var host = "127.0.0.1"
    /// 0 takes a free one. Default 8080.
    package var port = 8080
    /// Scheme, host and port under which browsers reach the server, without a slash at the end; the
    /// redirect URI of the login at the provider is made from it. Nil is `http://HOST:PORT`.
    package var publicURL: String?
    /// Who may say for whom it forwards a request. Default nobody.
    package var proxies = TrustedProxies()
    /// Bytes of a request's body. Default 2 MiB.
    package var bodyLimit = 2 << 20
    /// From the first byte of a request to its last. Default 15 s.
    package var requestTime: Duration = .seconds(15)
    /// How long a connection may be open without a request. Default 60 s.
    package var idleTime: Duration = .seconds(60)
    /// Connections at once; more wait to be accepted. Default 1000.
    package var connectionLimit = 1000
    /// Requests per second of one API key on average. Default 100.
    package var ratePerSecond = 100.0
    /// Requests of one key that may come at once. Default 200.
    package var rateBurst = 200.0
    /// How long a login at the provider may take. Default 10 minutes.
    package var connectTime: Duration = .seconds(600)
    /// How long a browser stays logged in to the page. Default 12 hours.
    package var sessionTime: Duration = .seconds(12 * 3600)
    /// Longest a statement behind the page may run. Default 5 s.
    package var pageTime: Duration = .seconds(5)

    package init() {}

    /// Under which browsers reach the server.
    var baseURL: String { publicURL ?? "http://\(host):\(port)" }
}
