import Foundation

/// Writes Swift source with the texts of files: `EmbedTextsTool OUTPUT FILE...`. A file `job_claim.sql`
/// becomes `PackageResources.job_claim_sql`.
@main
enum EmbedTextsTool {
    static func main() throws {
        let paths = CommandLine.arguments.dropFirst()
        guard let output = paths.first else {
            FileHandle.standardError.write(Data("usage: EmbedTextsTool OUTPUT FILE...\n".utf8))
            exit(64)
        }
        let constants = try paths.dropFirst().map { path in
            constant(
                named: String(path.split(separator: "/").last ?? ""),
                text: try String(contentsOfFile: path, encoding: .utf8)
            )
        }
        let source = "enum PackageResources {\n\(constants.joined())}\n"
        try source.write(toFile: output, atomically: true, encoding: .utf8)
    }

    /// A raw literal, with as many number signs as the text leaves no doubt about where it ends.
    private static func constant(named file: String, text: String) -> String {
        var signs = "#"
        while text.contains("\"\"\"\(signs)") || text.contains("\\\(signs)") { signs += "#" }
        let name = file.map { $0.isLetter || $0.isNumber ? $0 : "_" }
        return "static let \(String(name)): String = \(signs)\"\"\"\n\(text)\n\"\"\"\(signs)\n"
    }
}
