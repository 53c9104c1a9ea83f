import Foundation

/// Programs of Tests/Programs, compiled when they are needed and kept in .build-programs. Static, so that they run in
/// any root file system.
package enum Programs {
    package struct CannotCompile: Error {
        let program: String
    }

    /// What a process sees of itself and of its container.
    package static let probe = Result { try compile("probe") }

    /// Compiles NAME.c and returns the program's path.
    ///
    /// - Parameter suffix: tells apart what the same source becomes with other flags.
    package static func compile(_ name: String, suffix: String = "", flags: [String] = []) throws -> String {
        let directory = Machine.repository + "/.build-programs"
        let source = Machine.repository + "/Tests/Programs/" + name + ".c"
        let program = directory + "/" + name + suffix
        if let made = modified(program), let changed = modified(source), made > changed { return program }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        // Renamed into place: another test, or another run of all, may be at it as well.
        let fresh = program + "." + UUID().uuidString
        let compiler = try Process.run(
            URL(filePath: "/usr/bin/gcc"),
            arguments: ["-static", "-O1", "-Wall", "-Wextra", "-Werror"] + flags + ["-o", fresh, source])
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0, rename(fresh, program) == 0 else {
            throw CannotCompile(program: program)
        }
        return program
    }

    private static func modified(_ path: String) -> Date? {
        try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    }
}
