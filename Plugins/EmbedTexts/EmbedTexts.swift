import Foundation
import PackagePlugin

/// Carries the SQL files of a target in its module, each as a string constant named after its file.
///
/// SwiftPM's own `embedInCode` writes arrays of bytes, and the compiler looks at every byte: half a
/// minute for what a literal takes a second.
@main
struct EmbedTexts: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        guard let files = target.sourceModule?.sourceFiles(withSuffix: "sql").map(\.url) else { return [] }
        let output = context.pluginWorkDirectoryURL.appending(path: "PackageResources.swift")
        return [
            .buildCommand(
                displayName: "Embedding \(files.count) SQL files",
                executable: try context.tool(named: "EmbedTextsTool").url,
                arguments: [output.path()] + files.map { $0.path() }.sorted(),
                inputFiles: files,
                outputFiles: [output]
            )
        ]
    }
}
