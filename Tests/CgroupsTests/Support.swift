import CLinux
import Diagnostics
import Foundation
import OCI
import Testing

@testable import Cgroups

/// What the tests on the real kernel need.
enum Host {
    static let layout = try? Layout.detect()
    static let isRoot = geteuid() == 0
    /// Version 1 hierarchies that this process may change.
    static let hasVersion1 = isRoot && layout?.isUnified == false
    /// Version 2, alone or beside version 1.
    static let unified = layout?.hierarchies.first(where: \.isUnified)
    static let hasVersion2 = isRoot && unified != nil
    static let handsControllersOn =
        hasVersion2 && read(unified!.mountPoint + "/cgroup.subtree_control")?.isEmpty == false
    static let busybox = ["/bin/busybox", "/usr/bin/busybox"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    static let hasRunc = FileManager.default.isExecutableFile(atPath: "/usr/sbin/runc")
}

func read(_ path: String) -> String? {
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
}

func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: path)
}

/// A name that no other test has.
func freshName() -> String {
    "gantry-test-" + UUID().uuidString.prefix(8)
}

extension CgroupPlan {
    init(path: String, layout: Layout, _ change: (inout Resources) -> Void = { _ in }) throws(Failure) {
        var resources = Resources()
        change(&resources)
        var spec = Spec()
        spec.linux = Spec.Linux()
        spec.linux?.resources = resources
        try self.init(
            spec, path: try CgroupPath(path, id: "unused"), own: OwnCgroups(entries: []), layout: layout)
    }

    func directory(_ controller: String) -> String {
        cgroup.directories.first { $0.has(controller) }!.path
    }
}

extension OwnCgroups {
    init(entries: [Entry]) {
        self.init([])
        self.entries = entries
    }
}

/// A child process that ends with the test. The tests' threads block most signals, and so does it: SIGTRAP,
/// which they do not block, stands for any signal but SIGKILL. (SIGPIPE is ignored by all that systemd starts.)
final class Child {
    let process = Process()
    let output = Pipe()

    init(_ command: String) throws {
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    static func sleeping() throws -> Child {
        try Child("exec sleep 1000")
    }

    var pid: Int32 { process.processIdentifier }

    /// What it wrote, once it has ended.
    func finish() -> String {
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }

    deinit {
        // Not waited for: it may be frozen.
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
}

/// Removes a test's cgroups whatever happened, with what is in them.
func cleanUp(_ plan: CgroupPlan, parents: [String] = []) {
    do { try plan.cgroup.remove() } catch { Issue.record(error) }
    for directory in plan.cgroup.directories where exists(directory.path) {
        Issue.record("\(directory.path) is still there")
    }
    for parent in parents {
        for hierarchy in plan.layout.hierarchies { _ = rmdir(hierarchy.mountPoint + parent) }
    }
}
