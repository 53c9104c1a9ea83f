import Foundation

/// What an attacker, who made the image and part of the configuration, would put there.
extension TestContainer {
    var mounts: [JSON] {
        get { config["mounts"] as? [JSON] ?? [] }
        set { config["mounts"] = newValue }
    }

    func addMount(_ destination: String, type: String, source: String, options: [String] = []) throws {
        mounts.append(["destination": destination, "type": type, "source": source, "options": options])
        try save()
    }

    func removeMount(_ destination: String) throws {
        mounts.removeAll { $0["destination"] as? String == destination }
        try save()
    }

    /// Puts a symlink into the root file system, in place of what is there.
    func link(_ path: String, to target: String) throws {
        try? FileManager.default.removeItem(atPath: rootfs + path)
        try FileManager.default.createSymbolicLink(atPath: rootfs + path, withDestinationPath: target)
    }

    /// Puts a file into the root file system, in place of what is there; directories on the way are made.
    func put(_ text: String, at path: String, mode: Int = 0o755) throws {
        let place = URL(filePath: rootfs + path)
        try? FileManager.default.removeItem(at: place)
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Rootfs.write(text, to: place.path, mode: mode)
    }

    /// Makes a directory beside the bundle, which no container may see.
    func makeOutside(_ name: String = "outside") throws -> String {
        let path = directory.path + "/" + name
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    /// A command of gantry whose caller has left 5…50 open, each a directory of the host. Both streams are in `stdout`
    /// and in `stderr`.
    func gantryWithLeaks(_ words: [String]) async throws -> Outcome {
        let outside = try makeOutside()
        try "host".write(toFile: outside + "/secret", atomically: false, encoding: .utf8)
        try Rootfs.write("#!/bin/sh\necho escaped\n", to: outside + "/escape")
        let host = open(outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(host) }
        let output = directory.path + "/output"
        let child = try Child.spawn(
            Machine.gantry, ["--root", root] + words, stdout: output, stderr: output,
            descriptors: Dictionary(uniqueKeysWithValues: (5...50).map { ($0, host) }))
        let code = try await child.wait()
        let text = try String(contentsOfFile: output, encoding: .utf8)
        try FileManager.default.removeItem(atPath: output)
        return Outcome(command: child.line, code: code, stdout: text, stderr: text)
    }

    /// `gantry run` by way of another program, which gives gantry what a careless caller would.
    func run(through program: [String], _ flags: String..., gantry: String = Machine.gantry) async throws
        -> Outcome
    {
        try await Command.run(
            program[0],
            program.dropFirst() + [gantry, "--root", root, "run", "--bundle", bundle] + flags + [id])
    }
}

/// The value of a line "KEY: VALUE" of /proc/PID/status.
func statusValue(_ key: String, in text: String) -> String? {
    text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
        .map { $0.dropFirst(key.count + 1).trimmingCharacters(in: .whitespaces) }
}

/// One line of /proc/PID/mountinfo.
struct MountLine {
    let mountPoint: String
    /// Of the mount, not of its file system.
    let options: [String]
    let type: String
    let source: String

    init?(_ line: Substring) {
        let words = line.split(separator: " ").map(String.init)
        guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 2 else { return nil }
        mountPoint = words[4]
        options = words[5].split(separator: ",").map(String.init)
        type = words[dash + 1]
        source = words[dash + 2]
    }

    static func all(in text: String) -> [MountLine] {
        text.split(separator: "\n").compactMap { MountLine($0) }
    }
}

extension Programs {
    /// Swaps two files for ever.
    static let exchange = Result { try compile("exchange") }
    /// Renames and mounts for ever.
    static let churn = Result { try compile("churn") }
    /// Tries to look into another process.
    static let peek = Result { try compile("peek") }
    /// Falls upon every process that comes.
    static let hunter = Result { try compile("hunter") }
    /// Tells of processes that a command leaves behind.
    static let subreaper = Result { try compile("subreaper") }
}

/// A program of Tests/Programs that runs beside a test until `stop`.
struct Companion {
    private let child: Child

    init(_ program: Result<String, any Error>, _ arguments: String...) throws {
        child = try Child.spawn(try program.get(), arguments)
    }

    /// - Returns: whether it was still at work: one that had ended did not make the race it was for.
    func stop() async throws -> Bool {
        kill(child.pid, SIGKILL)
        return try await child.wait() == 128 + SIGKILL
    }
}
