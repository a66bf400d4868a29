package import Foundation
import LeaseholdCore
import NIOCore
import NIOPosix
package import NIOSSL
import NIOTLS

/// The certificate of an address, looked at in a TLS handshake of its own that carries no request.
package enum CertificateProbe: Sendable, Equatable {
    /// The address is http.
    case plain
    /// Trusted by this machine and made out for the host.
    case valid(until: Date)
    /// The handshake failed.
    case refused(String)
    case unreachable(String)

    /// - Parameters:
    ///   - roots: whom to trust; the machine's own certificate authorities by default.
    ///   - timeout: of TCP and of the handshake, each.
    package static func look(
        at address: PitchlyURL,
        roots: NIOSSLTrustRoots = .default,
        timeout: Duration = .seconds(10)
    ) async -> CertificateProbe {
        guard let parts = URLComponents(string: address.description), parts.scheme?.lowercased() == "https",
            let host = parts.host
        else { return .plain }
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let handshake = Handshake(loop, timeout: timeout)
        let channel: any Channel
        do {
            channel = try await connect(to: host, port: parts.port ?? 443, roots, handshake, timeout, on: loop)
        } catch {
            handshake.abandon()
            return .unreachable(transportFailureText(error))
        }
        let verdict: CertificateProbe
        do {
            verdict = .valid(until: try await handshake.end())
        } catch {
            verdict = .refused(error is HandshakeTimeout ? "no handshake within \(timeout.seconds) s" : shown(error))
        }
        // It may be closed already, by the peer or by the failed handshake.
        try? await channel.close()
        return verdict
    }

    private static func connect(
        to host: String,
        port: Int,
        _ roots: NIOSSLTrustRoots,
        _ handshake: Handshake,
        _ timeout: Duration,
        on loop: any EventLoop
    ) async throws -> any Channel {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = roots
        let context = try NIOSSLContext(configuration: configuration)
        return try await ClientBootstrap(group: loop)
            .connectTimeout(.nanoseconds(timeout.wholeNanoseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let name = isAddress(host) ? nil : host
                    let tls = try NIOSSLClientHandler(context: context, serverHostname: name)
                    try channel.pipeline.syncOperations.addHandlers([tls, handshake.watcher()])
                }
            }
            .connect(host: host, port: port)
            .get()
    }

    /// The library's own words, without the places in its source.
    private static func shown(_ error: any Error) -> String {
        let text = transportFailureText(error)
        let reasons = ["CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "unableToValidateCertificate"]
        return reasons.first { text.contains($0) }.map { "\($0.lowercased().replacing("_", with: " "))" } ?? text
    }

    /// TLS names no addresses (RFC 6066 section 3).
    private static func isAddress(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }
}

private struct HandshakeTimeout: Error {}

/// The outcome of one handshake.
private final class Handshake: Sendable {
    private let outcome: EventLoopPromise<Date>
    private let timer: Scheduled<Void>

    init(_ loop: any EventLoop, timeout: Duration) {
        outcome = loop.makePromise()
        timer = loop.scheduleTask(in: .nanoseconds(timeout.wholeNanoseconds)) { [outcome] in
            outcome.fail(HandshakeTimeout())
        }
    }

    /// When the peer's certificate ends.
    func end() async throws -> Date {
        defer { timer.cancel() }
        return try await outcome.futureResult.get()
    }

    /// There was no connection to shake hands on.
    func abandon() {
        timer.cancel()
        outcome.fail(ChannelError.eof)
    }

    func watcher() -> any ChannelHandler { Watcher(outcome: outcome) }

    private final class Watcher: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let outcome: EventLoopPromise<Date>

        init(outcome: EventLoopPromise<Date>) { self.outcome = outcome }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard case .handshakeCompleted? = event as? TLSUserEvent else {
                return context.fireUserInboundEventTriggered(event)
            }
            do {
                let certificate = try context.pipeline.syncOperations.nioSSL_peerCertificate()
                guard let certificate else { return outcome.fail(NIOSSLError.noCertificateToValidate) }
                outcome.succeed(Date(timeIntervalSince1970: Double(certificate.notValidAfter)))
            } catch {
                outcome.fail(error)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            outcome.fail(error)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            outcome.fail(ChannelError.eof)
            context.fireChannelInactive()
        }
    }
}
