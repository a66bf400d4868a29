import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Pitchly
import Testing

@Suite("Looking at a certificate")
struct CertificateProbeTests {
    /// The certificates of the fixtures are good from 2020 to 2119; `expired` ended in 2021, `other` is
    /// made out for another host.
    private static func fixture(_ name: String) throws -> String {
        let url = Bundle.module.url(forResource: name, withExtension: "pem", subdirectory: "Fixtures/Certificates")
        return try #require(url).path
    }

    private func look(_ name: String, trusting authority: String? = "authority") async throws -> CertificateProbe {
        let path = try Self.fixture(name)
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
            let roots = try authority.map { NIOSSLTrustRoots.file(try Self.fixture($0)) } ?? .default
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
        #expect(try await look("good") == .valid(until: Date(timeIntervalSince1970: 4_701_974_400)))
    }

    @Test("refuses one that ended, one of nobody it trusts, and one of another host")
    func refused() async throws {
        for (name, authority) in [("expired", "authority"), ("good", nil), ("other", "authority")]
            as [(String, String?)]
        {
            guard case .refused(let reason) = try await look(name, trusting: authority) else {
                Issue.record("expected \(name) to be refused")
                continue
            }
            #expect(reason.contains("certificate"), "\(name): \(reason)")
        }
    }

    @Test("tells a server without TLS, no server and plain http apart")
    func without() async throws {
        let silent: @Sendable (any Channel) -> EventLoopFuture<Void> = { $0.eventLoop.makeSucceededVoidFuture() }
        let port = try await withServer(silent) { port in
            let probe = await CertificateProbe.look(
                at: try PitchlyURL("https://localhost:\(port)", setting: "test"),
                timeout: .milliseconds(200)
            )
            #expect(probe == .refused("no handshake within 0.2 s"))
            return port
        }
        guard
            case .unreachable = await CertificateProbe.look(
                at: try PitchlyURL("https://localhost:\(port)", setting: "t")
            )
        else {
            Issue.record("expected nobody to be reached")
            return
        }
        #expect(await CertificateProbe.look(at: try PitchlyURL("http://localhost:1", setting: "test")) == .plain)
    }
}
