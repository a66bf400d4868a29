import Foundation
import LeaseholdCore
import Testing

@testable import TokenVault

@Suite struct KeyRingTests {
    private let material = Data((0..<32).map { UInt8($0) }).base64EncodedString()
    private let other = Data((0..<32).map { UInt8(255 - $0) }).base64EncodedString()

    private func failure(_ text: String) -> KeyRingError? {
        do throws(KeyRingError) {
            _ = try KeyRing(parsing: text, source: "the ring")
            return nil
        } catch {
            return error
        }
    }

    @Test func readsLinesNewestFirst() throws {
        let ring = try KeyRing(parsing: "# rotated in May\n\n 2026-05:\(material) \n2025-11:\(other)\n", source: "f")
        #expect(ring.identifiers == ["2026-05", "2025-11"])
        #expect(ring.newest.id == "2026-05")
    }

    @Test func readsJSON() throws {
        let text = #"{"keys": [{"id": "b", "key": "\#(material)"}, {"id": "a", "key": "\#(other)"}]}"#
        #expect(try KeyRing(parsing: text, source: "f").identifiers == ["b", "a"])
    }

    @Test func aMadeLineIsAKey() throws {
        let line = try KeyRing.makeLine(id: "k1")
        #expect(try KeyRing(parsing: line, source: "f").identifiers == ["k1"])
        #expect(try KeyRing.makeLine(id: "k1") != line)
    }

    @Test func errorsSayWhereAndWhatButNeverTheKey() throws {
        let secretLooking = Data((0..<31).map { UInt8($0) }).base64EncodedString()
        let cases: [(text: String, part: String)] = [
            ("", "at least one key"), ("# only a comment", "at least one key"), ("k1 \(material)", "line 1"),
            ("a:\(material)\nb:\(secretLooking)", "line 2"), ("b:\(secretLooking)", "32 bytes"),
            ("b:not*base64", "base64"), ("a:\(material)\na:\(other)", "again"), ("-x:\(material)", "an id of"),
            (#"{"keys": [{"id": "a"}]}"#, "other JSON"), (#"{"keys": []}"#, "at least one key"),
            (String(repeating: "a", count: 33) + ":\(material)", "an id of"),
        ]
        for (text, part) in cases {
            let error = try #require(failure(text), "\(text) was taken")
            #expect(error.message.contains(part), "\(error.message)")
            #expect(error.message.hasPrefix("expected the ring"))
            for secret in [material, other, secretLooking, "not*base64"] {
                #expect(!error.description.contains(secret))
            }
        }
    }

    @Test func twoKeysOfOneIdHaveDifferentCheckValues() throws {
        let one = try KeyRing(parsing: "a:\(material)", source: "f")
        let two = try KeyRing(parsing: "a:\(other)", source: "f")
        #expect(one.newest.checkValue != two.newest.checkValue)
        #expect(one.newest.checkValue == (try KeyRing(parsing: "a:\(material)", source: "g")).newest.checkValue)
    }

    @Test func aFileThatOthersCanReadIsRefused() throws {
        let path = try TemporaryFolder.file("ring", "a:\(material)", permissions: 0o644)
        #expect(throws: KeyRingError.self) { try FileKeyProvider(path: path).keyRing() }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(try FileKeyProvider(path: path).keyRing().identifiers == ["a"])
    }

    /// As Kubernetes hands out a secret: a link to a link, turned when the secret changes.
    @Test func aLinkLeadsToTheFileThatCounts() throws {
        let path = try TemporaryFolder.file("ring", "a:\(material)", permissions: 0o600)
        let next = try TemporaryFolder.file("ring", "b:\(other)", permissions: 0o600)
        let link = try TemporaryFolder.make() + "/keyring"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        let provider = FileKeyProvider(path: link)
        #expect(try provider.keyRing().identifiers == ["a"])
        try FileManager.default.removeItem(atPath: link)
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: next)
        #expect(try provider.keyRing().identifiers == ["b"])
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: next)
        #expect(throws: KeyRingError.self) { try provider.keyRing() }
    }

    @Test(
        arguments: [
            (permissions: 0o600, owner: 10001, isExposed: false), (permissions: 0o440, owner: 0, isExposed: false),
            (permissions: 0o640, owner: 0, isExposed: false), (permissions: 0o440, owner: 10001, isExposed: true),
            (permissions: 0o660, owner: 0, isExposed: true), (permissions: 0o444, owner: 0, isExposed: true),
        ] as [(permissions: Int, owner: UInt32, isExposed: Bool)]
    )
    func onlyRootsFileMayBeReadByAGroup(_ file: (permissions: Int, owner: UInt32, isExposed: Bool)) {
        let isExposed = FileKeyProvider.isExposed(permissions: file.permissions, owner: file.owner, reader: 10001)
        #expect(isExposed == file.isExposed)
    }

    @Test func rootItselfKeepsItsKeysForItself() {
        #expect(FileKeyProvider.isExposed(permissions: 0o440, owner: 0, reader: 0))
    }

    @Test func aChangedFileIsReadAgain() throws {
        let path = try TemporaryFolder.file("ring", "a:\(material)", permissions: 0o600)
        let provider = FileKeyProvider(path: path)
        #expect(try provider.keyRing().identifiers == ["a"])
        try "b:\(other)\na:\(material)".write(toFile: path, atomically: false, encoding: .utf8)
        #expect(try provider.keyRing().identifiers == ["b", "a"])
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: KeyRingError.self) { try provider.keyRing() }
    }
}

/// A folder of one test, below the system's temporary one.
enum TemporaryFolder {
    static func make() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "leasehold-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        return path
    }

    static func file(_ name: String, _ text: String, permissions: Int) throws -> String {
        let path = "\(try make())/\(name)"
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: path)
        return path
    }
}
