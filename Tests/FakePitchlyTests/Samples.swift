import Foundation

/// 15 March 2024, 12:00 UTC.
let fixedDate = Date(timeIntervalSince1970: 1_710_504_000)

func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

/// The query part of a URL, decoded.
func query(of url: String) -> [String: String] {
    let items = URLComponents(string: url)?.queryItems ?? []
    return Dictionary(items.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { first, _ in first })
}

/// The files beside the tests; read in the checkout, because one of them is a program.
enum Fixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")

    static func bytes(_ name: String) throws -> Data { try Data(contentsOf: folder.appending(path: name)) }
}
