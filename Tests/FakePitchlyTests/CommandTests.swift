import FakePitchly
import Foundation
import Testing

@Suite struct CommandTests {
    /// Beside the test bundle, where SwiftPM puts the program.
    private static let program = Bundle.module.bundleURL.deletingLastPathComponent().appending(path: "fake-pitchly")

    private func run(_ arguments: [String]) throws -> (process: Process, output: FileHandle, errors: FileHandle) {
        let process = Process()
        process.executableURL = Self.program
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        return (process, output.fileHandleForReading, errors.fileHandleForReading)
    }

    @Test func itSaysWhereItIsAndEndsOnSIGTERM() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "fake-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (portFile, secretFile) = (folder.appending(path: "port"), folder.appending(path: "secret"))
        try Data("plys_of_the_test\n".utf8).write(to: secretFile)
        let (process, output, errors) = try run([
            "--port-file", portFile.path(), "--organizations", "4", "--large", "1", "--seed", "9",
            "--access-token-seconds", "20", "--mode", "grace:5", "--client-id", "appOfTheTest",
            "--client-secret-file", secretFile.path(), "--max-page-size", "7", "--records", "3-5", "--fields", "4",
        ])
        let line = String(decoding: output.availableData, as: UTF8.self)
        let match = try #require(line.firstMatch(of: #/listening on (http://127\.0\.0\.1:(\d+)) /#))
        let origin = String(match.1)
        #expect(try String(contentsOf: portFile, encoding: .utf8) == "\(match.2)\n")
        let organizations = try await FakeClient.send("GET", "\(origin)/_fake/organizations").json
        #expect(organizations.arrayValue?.count == 4)
        #expect(organizations[1]["tables"][0]["fields"].arrayValue?.count == 4)
        let answer = try await FakeClient.send(
            "POST",
            origin + FakePaths.token,
            headers: [("content-type", "application/x-www-form-urlencoded")],
            body: "grant_type=client_credentials&organization_id=\(organizations[0]["id"].stringValue ?? "")"
                + "&client_id=appOfTheTest&client_secret=plys_of_the_test"
        )
        #expect(answer.json["expires_in"] == 20)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(process.terminationReason == .exit)
        #expect(errors.availableData.isEmpty, "an ordinary stop is no error")
    }

    @Test(arguments: [
        ["--mode", "sometimes"], ["--port", "70000"], ["--organizations", "0"], ["--records", "9-3"],
        ["--workspaces", "9", "--tables", "9"], ["--error-status", "500"], ["--log-level", "loud"],
        ["--client-secret-file", "/nowhere/secret"], ["--access-token-seconds", "0"], ["--max-page-size", "0"],
    ])
    func aWrongOptionStopsTheStart(arguments: [String]) throws {
        let (process, _, errors) = try run(arguments)
        process.waitUntilExit()
        #expect(process.terminationStatus != 0)
        #expect(!errors.availableData.isEmpty)
    }

    @Test func aPortInUseStopsTheStart() async throws {
        try await withFake { server, _ in
            let (process, _, errors) = try run(["--port", String(server.port)])
            process.waitUntilExit()
            #expect(process.terminationStatus != 0)
            let text = String(decoding: errors.availableData, as: UTF8.self)
            #expect(text.contains("expected port \(server.port) of 127.0.0.1 to be free, got: "))
        }
    }
}
