import Foundation
import PackagePlugin

/// Compiles the freestanding programs (Init/) with the C compiler and generates a Swift file that holds their bytes.
@main
struct EmbedInit: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let sources = context.package.directoryURL.appending(path: "Init")
        // What the programs share with Swift: a change of it changes them.
        let shared = ["Sources/CPlan/include/CPlan.h", "Sources/CKeeper/include/CKeeper.h"]
            .map { context.package.directoryURL.appending(path: $0) }
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedInit.swift")
        let inputs = try FileManager.default.subpathsOfDirectory(atPath: sources.path)
            .filter { $0.hasSuffix(".c") || $0.hasSuffix(".h") || $0.hasSuffix(".sh") }
            .map { sources.appending(path: $0) }
        return [
            .buildCommand(
                displayName: "Compiling the freestanding programs",
                executable: URL(filePath: "/bin/sh"),
                arguments: [sources.appending(path: "embed.sh").path, output.path],
                inputFiles: inputs + shared,
                outputFiles: [output])
        ]
    }
}
