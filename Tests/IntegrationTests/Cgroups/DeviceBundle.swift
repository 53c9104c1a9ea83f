import Foundation
import Testing

/// A container with Tests/Programs/devices.c and a few nodes that not every container may use.
extension TestContainer {
    static let devicesProgram = Result { try Programs.compile("devices") }

    /// - Parameter script: what it runs once the nodes are there.
    func prepareDevices(_ rules: [JSON], _ script: String = "touch /ready; sleep 1000") throws {
        try Rootfs.copy(try Self.devicesProgram.get(), to: rootfs + "/bin/devices")
        try set("linux.resources.devices", rules)
        for set in ["bounding", "effective", "permitted"] {
            let path = "process.capabilities." + set
            try self.set(path, (value(path) as? [String] ?? []) + ["CAP_MKNOD"])
        }
        try setScript(Self.nodes.map { "mknod -m 666 \($0); " }.joined() + script)
    }

    /// Nodes that can be opened without harm, or that no driver is behind. In the container's own /dev: what is made on
    /// the host may be on a file system without devices.
    private static let nodes = ["/dev/fuse c 10 229", "/dev/loop b 7 0", "/dev/loop1 b 7 1"]

    /// What `devices try` says from inside: the accesses that are refused.
    func refused(_ accesses: String...) async throws -> [String] {
        let outcome = try await Command.run(
            Machine.gantry, globals + ["exec", id, "/bin/devices", "try"] + accesses)
        try #require(outcome.code == 0, "\(outcome)")
        return outcome.lines.filter { $0.hasSuffix(" refused") }.map { String($0.dropLast(8)) }
    }
}

extension Host {
    /// The container's directory of version 2, where programs decide about devices; nil where a controller does.
    static func deviceProgramDirectory(of id: String) -> String? {
        let directories = cgroups(of: id)
        if directories.contains(where: { FileManager.default.fileExists(atPath: $0 + "/devices.list") }) {
            return nil
        }
        return directories.filter { FileManager.default.fileExists(atPath: $0 + "/cgroup.events") }
            .min { $0.count < $1.count }
    }

    /// The eBPF programs that decide there.
    static func devicePrograms(_ directory: String) async throws -> [(id: String, name: String)] {
        let outcome = try await Command.run(try TestContainer.devicesProgram.get(), ["programs", directory])
        try #require(outcome.code == 0, "\(outcome)")
        return outcome.lines.map { line in
            let words = line.split(separator: " ").map(String.init)
            return (words[0], words.count > 1 ? words[1] : "")
        }
    }

    /// Ours, of all containers whose ID begins so.
    static func devicePrograms(ofAll id: String) async throws -> [String] {
        var programs: [String] = []
        for directory in cgroups(of: id)
        where FileManager.default.fileExists(atPath: directory + "/cgroup.events") {
            programs += try await devicePrograms(directory).filter { $0.name == "gantry_devices" }.map(\.id)
        }
        return programs
    }

    static func isProgramLoaded(_ id: String) async throws -> Bool {
        let outcome = try await Command.run(try TestContainer.devicesProgram.get(), ["alive", id])
        return !outcome.stdout.isEmpty
    }
}
