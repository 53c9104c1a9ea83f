import Foundation

/// A bundle with a busybox root file system and a state directory of its own; one container at a time runs from it.
final class TestContainer {
    typealias JSON = [String: Any]

    let directory: TemporaryDirectory
    let id: String
    var bundle: String { directory.path + "/bundle" }
    var rootfs: String { bundle + "/rootfs" }
    var root: String { directory.path + "/state" }
    /// `--state-dir`: what outlives a reboot.
    var states: String { directory.path + "/supervised" }
    /// What stands before every command.
    var globals: [String] { ["--root", root, "--state-dir", states] }

    /// config.json; written by `save`.
    var config: JSON

    /// - Parameter args: process.args.
    init(_ args: [String] = ["/bin/true"]) throws {
        directory = try TemporaryDirectory("container")
        id = "test-" + directory.path.suffix(6)
        config = try TestContainer.defaultConfig(args)
        try FileManager.default.createDirectory(atPath: rootfs, withIntermediateDirectories: true)
        try Rootfs.busybox(at: rootfs)
        try save()
    }

    /// What `runc spec` writes, without a terminal and with a writable root.
    static func defaultConfig(_ args: [String]) throws -> JSON {
        let path = Machine.repository + "/Tests/Fixtures/configs/runc-spec.json"
        var config = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path))) as! JSON
        config.set(["process", "terminal"], false)
        config.set(["process", "args"], args)
        config.set(["root", "readonly"], false)
        return config
    }

    /// Changes one property, given by its path, and writes config.json.
    func set(_ path: String, _ value: Any?) throws {
        config.set(path.split(separator: ".").map(String.init), value)
        try save()
    }

    func value(_ path: String) -> Any? {
        config.value(path.split(separator: ".").map(String.init))
    }

    func save() throws {
        let data = try JSONSerialization.data(
            withJSONObject: config, options: [.prettyPrinted, .withoutEscapingSlashes])
        try data.write(to: URL(filePath: bundle + "/config.json"))
    }

    /// `gantry COMMAND...` with the container's own places.
    func gantry(
        _ arguments: String..., stdin: String? = nil, environment: [String: String]? = nil,
        seconds: Double = 60
    ) async throws -> Outcome {
        try await Command.run(
            Machine.gantry, globals + arguments, stdin: stdin, environment: environment,
            seconds: seconds)
    }

    /// `gantry run` in the foreground.
    func run(_ flags: String..., stdin: String? = nil) async throws -> Outcome {
        try await Command.run(
            Machine.gantry, globals + ["run", "--bundle", bundle] + flags + [id], stdin: stdin)
    }

    /// The same config with a peer.
    func runPeer(_ program: String, _ flags: [String] = [], stdin: String? = nil) async throws -> Outcome {
        try await Command.run(
            program,
            ["--root", directory.path + "/peer", "run", "--bundle", bundle] + flags + [id + "-peer"],
            stdin: stdin)
    }

    /// Removes the container whatever its status, and all files.
    /// Removes whatever runs in its state directory.
    func remove() async {
        let others = [root, states].flatMap {
            (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? []
        }
        for id in Set(others + [id]) { _ = try? await gantry("delete", "--force", id) }
        directory.remove()
    }

    /// Runs the body with a container and removes it afterwards, also when the body fails.
    static func with<Value>(
        _ args: [String] = ["/bin/true"], _ body: (TestContainer) async throws -> Value
    ) async throws -> Value {
        let container = try TestContainer(args)
        do {
            let value = try await body(container)
            await container.remove()
            return value
        } catch {
            await container.remove()
            throw error
        }
    }
}

extension [String: Any] {
    /// Sets a value deep inside; objects on the way are made. nil removes it.
    mutating func set(_ path: [String], _ value: Any?) {
        guard path.count > 1 else {
            self[path[0]] = value
            return
        }
        var child = self[path[0]] as? [String: Any] ?? [:]
        child.set(Array(path.dropFirst()), value)
        self[path[0]] = child
    }

    func value(_ path: [String]) -> Any? {
        guard path.count > 1 else { return self[path[0]] }
        return (self[path[0]] as? [String: Any])?.value(Array(path.dropFirst()))
    }
}
