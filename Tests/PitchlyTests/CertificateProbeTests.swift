import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Pitchly
import TestSupport
import Testing

@Suite("Looking at a certificate")
struct CertificateProbeTests {
    /// - Parameters:
    ///   - path: of the server's key and certificate.
    ///   - authority: path of what is trusted; nil is what the machine trusts.
    private func look(_ path: String, trusting authority: String?) async throws -> CertificateProbe {
        let key = try NIOSSLPrivateKey(file: path, format: .pem)
        let chain = try NIOSSLCertificate.fromPEMFile(path).map { NIOSSLCertificateSource.certificate($0) }
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
        )
        let tls: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
            }
        }
        return try await withServer(tls) { port in
            let roots = authority.map { NIOSSLTrustRoots.file($0) } ?? .default
            return await CertificateProbe.look(
                at: try PitchlyURL("https://localhost:\(port)", setting: "test"),
                roots: roots
            )
        }
    }

    private func withServer<Result>(
        _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>,
        _ body: (Int) async throws -> Result
    ) async throws -> Result {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer(initializer)
            .bind(host: "localhost", port: 0)
            .get()
        do {
            let result = try await body(server.localAddress?.port ?? 0)
            try await server.close()
            return result
        } catch {
            try await server.close()
            throw error
        }
    }

    @Test("tells when a good one ends")
    func good() async throws {
        try await TestAuthority.with { authority in
            let path = try await authority.certificate(for: "localhost", days: 20)
            guard case .valid(let until) = try await look(path, trusting: authority.path) else {
                Issue.record("expected the certificate to be good")
                return
            }
            let days = until.timeIntervalSinceNow / 86_400
            #expect((19.9...20).contains(days))
        }
    }

    @Test("refuses one that ended, one of nobody it trusts, and one of another host")
    func refused() async throws {
        try await TestAuthority.with { authority in
            let good = try await authority.certificate(for: "localhost", days: 20)
            let cases: [(String, String, String?)] = [
                ("expired", try await authority.certificate(for: "localhost", days: -1), authority.path),
                ("of nobody", good, nil),
                (
                    "of another host", try await authority.certificate(for: "elsewhere.example", days: 20),
                    authority.path
                ),
            ]
            for (name, path, trusted) in cases {
                guard case .refused(let reason) = try await look(path, trusting: trusted) else {
                    Issue.record("expected the one \(name) to be refused")
                    continue
                }
                #expect(reason.contains("certificate"), "\(name): \(reason)")
            }
        }
    }

    @Test("tells a server without TLS, no server and plain http apart")
    func without() async throws {
        let silent: @Sendable (any Channel) -> EventLoopFuture<Void> = { $0.eventLoop.makeSucceededVoidFuture() }
        try await withServer(silent) { port in
            let probe = await CertificateProbe.look(
                at: try PitchlyURL("https://localhost:\(port)", setting: "test"),
                timeout: .seconds(2)
            )
            #expect(probe == .refused("no handshake within 2.0 s"))
        }
        guard
            case .unreachable = await CertificateProbe.look(
                at: try PitchlyURL("https://localhost:\(try FreePort.next())", setting: "test")
            )
        else {
            Issue.record("expected nobody to be reached")
            return
        }
        #expect(await CertificateProbe.look(at: try PitchlyURL("http://localhost:1", setting: "test")) == .plain)
    }
}
