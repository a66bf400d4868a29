import Foundation
import Pitchly

/// Documents of a dialect, some of them replaced as a user of the program would: by files.
struct TestDocuments {
    let value: DialectDocuments

    init(_ files: [String: String]) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("leasehold-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }
        value = try DialectDocuments(folder: folder.path)
    }
}
