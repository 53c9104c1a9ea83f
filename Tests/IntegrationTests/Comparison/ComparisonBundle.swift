import Foundation

/// An exec of the probe.
struct ExecStep {
    /// Of `exec`.
    var flags: [String] = []
    /// For `--process`; else the arguments are on the command line.
    var document: [String: Any]?
    var args = ["/bin/probe"]
    /// Detached runc gives a process the stdio of its own; else it gives pipes, and copies.
    var isDetached = true
    /// Before the container is started.
    var isBeforeStart = false
    /// What happens when the container runs, before the exec.
    var prepare: ((ComparisonBundle) async throws -> Void)?
}

/// A bundle for one of the two runtimes that are compared: each gets its own, made by the same steps, so that what the
/// first one leaves in a root file system does not help the second.
final class ComparisonBundle {
    enum Runtime: String {
        case gantry = "ours"
        case runc = "peer"
    }

    let runtime: Runtime
    let id: String
    /// Holds the bundle, the state, and what mounts come from.
    let directory: String
    var rootfs: String { directory + "/bundle/rootfs" }

    var config: [String: Any]
    /// Of `run`.
    var flags: [String] = []
    /// `create` and `start` instead of `run`.
    var startsSeparately = false
    /// What the runtime is started by, in front of its own command line.
    var wrapper: [String] = []
    /// Of the container; the report goes to the file at `report` and the probe's default is standard output.
    var stdin = "/dev/null"
    var stdout: String
    var stderr: String
    /// Further descriptors of the runtime's.
    var descriptors: [Int32: Int32] = [:]
    /// The probe is an exec in the container, whose first process waits; the wrapper and all stdio are the exec's.
    var exec: ExecStep?
    /// Where the probe's report is found.
    let report: String

    /// Links in /proc/PID/ns of namespaces that the container is told to join.
    var joined: Set<String> = []
    /// Made by the case, not by a runtime.
    private(set) var hostMounts: [String] = []
    private var endings: [() async throws -> Void] = []

    init(_ runtime: Runtime, id: String, in parent: String) throws {
        self.runtime = runtime
        self.id = id
        directory = parent + "/" + runtime.rawValue
        report = directory + "/report"
        stdout = report
        stderr = directory + "/stderr"
        config = try TestContainer.defaultConfig(["/bin/probe"])
        for name in ["bin", "dev", "etc", "proc", "sys", "tmp"] { try makeDirectory(name) }
        guard link(try Programs.probe.get(), rootfs + "/bin/probe") == 0 else {
            try FileManager.default.copyItem(atPath: try Programs.probe.get(), toPath: rootfs + "/bin/probe")
            return
        }
    }

    /// A cgroup that no other container has.
    func cgroupsPath(_ suffix: String = "") -> String {
        Machine.usesSystemd ? "system.slice:test:\(id)\(suffix)" : "/\(id)\(suffix)"
    }

    // MARK: What a case changes

    func set(_ path: String, _ value: Any?) {
        config.set(path.split(separator: ".").map(String.init), value)
    }

    func value(_ path: String) -> Any? {
        config.value(path.split(separator: ".").map(String.init))
    }

    func append(_ path: String, _ values: Any...) {
        set(path, (value(path) as? [Any] ?? []) + values)
    }

    func mount(_ destination: String, _ type: String?, _ source: String, _ options: [String]) {
        var mount: [String: Any] = ["destination": destination, "source": source, "options": options]
        mount["type"] = type
        append("mounts", mount)
    }

    /// Replaces the options of the mount that the default configuration has at `destination`, or removes it.
    func remount(_ destination: String, _ options: [String]?) {
        var mounts = value("mounts") as? [[String: Any]] ?? []
        guard let index = mounts.firstIndex(where: { $0["destination"] as? String == destination }) else {
            return
        }
        if let options { mounts[index]["options"] = options } else { mounts.remove(at: index) }
        set("mounts", mounts)
    }

    /// Namespaces of the default configuration, without those of `types`.
    func removeNamespaces(_ types: String...) {
        let all = value("linux.namespaces") as? [[String: Any]] ?? []
        set("linux.namespaces", all.filter { !types.contains($0["type"] as? String ?? "") })
    }

    func joinNamespace(_ type: String, _ path: String) throws {
        removeNamespaces(type)
        append("linux.namespaces", ["type": type, "path": path])
        joined.insert(try FileManager.default.destinationOfSymbolicLink(atPath: path))
    }

    // MARK: Files

    /// Makes a directory inside the root file system.
    func makeDirectory(_ path: String, mode: mode_t = 0o755) throws {
        try makeDirectory(at: rootfs + "/" + path, mode)
    }

    func makeFile(_ path: String, _ text: String = "", mode: mode_t = 0o644) throws {
        try makeFile(at: rootfs + "/" + path, text, mode)
    }

    /// Copied by a child: a descriptor that we write it through might be in another child when it is executed, which
    /// is then "text file busy".
    func makeProgram(_ path: String, _ text: String) async throws {
        let source = directory + "/program"
        try makeFile(at: source, text, 0o755)
        _ = try await Command.run("/bin/cp", [source, rootfs + "/" + path])
    }

    func makeLink(_ path: String, to target: String) throws {
        // Another case of a combination may have made another one.
        unlink(rootfs + "/" + path)
        try FileManager.default.createSymbolicLink(atPath: rootfs + "/" + path, withDestinationPath: target)
    }

    /// A directory outside of the root file system with a file and a directory in it.
    func sourceDirectory(_ name: String = "source", mode: mode_t = 0o755) throws -> String {
        let path = directory + "/" + name
        try makeDirectory(at: path + "/inner", 0o755)
        try makeDirectory(at: path, mode)
        try makeFile(at: path + "/file", "text", 0o644)
        return path
    }

    func sourceFile(_ name: String = "file", mode: mode_t = 0o644) throws -> String {
        try makeFile(at: directory + "/" + name, "text", mode)
        return directory + "/" + name
    }

    private func makeDirectory(at path: String, _ mode: mode_t) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard chmod(path, mode) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    private func makeFile(at path: String, _ text: String, _ mode: mode_t) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        guard chmod(path, mode) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
    }

    /// Runs mount(8) now and unmounts `target` at the end.
    func mountOnHost(_ arguments: String..., at target: String) async throws {
        let outcome = try await Command.run("/bin/mount", arguments + [target])
        guard outcome.code == 0 else { throw Command.TimedOut(description: outcome.description) }
        hostMounts.append(target)
        atEnd { _ = try await Command.run("/bin/umount", ["-l", target]) }
    }

    /// What is to be undone, last first.
    func atEnd(_ ending: @escaping () async throws -> Void) {
        endings.append(ending)
    }

    func finish() async throws {
        for ending in endings.reversed() { try await ending() }
        endings = []
    }
}
