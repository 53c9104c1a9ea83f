import Foundation
import Testing

/// Creates a container with limits, by gantry and by a peer, and reads what the kernel says of both.
enum ResourceComparison {
    /// 1 for version 1 and hybrid hosts.
    static let version = Host.isUnified ? 2 : 1

    /// A block device of this host.
    static let device: (major: Int, minor: Int)? = {
        let table = (try? String(contentsOfFile: "/proc/partitions", encoding: .utf8)) ?? ""
        let rows = table.split(separator: "\n").dropFirst().map { $0.split(separator: " ") }
        // A whole disk: partitions have no limits.
        let row = rows.first {
            $0.count == 4 && FileManager.default.fileExists(atPath: "/sys/block/\($0[3])/queue")
                && !$0[3].hasPrefix("zram")
        }
        return row.map { (Int($0[0])!, Int($0[1])!) }
    }()

    /// The text with the numbers of that device.
    static func filled(_ text: String) -> String {
        guard let device else { return text }
        return text.replacing("MAJOR", with: "\(device.major)").replacing("MINOR", with: "\(device.minor)")
    }

    static func document(_ text: String) throws -> [String: Any] {
        let json = try JSONSerialization.jsonObject(with: Data(filled(text).utf8))
        return try #require(json as? [String: Any])
    }

    /// A runtime, and the container that it makes in the test's bundle.
    struct Side {
        let program: String
        let globals: [String]
        let id: String
        /// Of a mount namespace in which the runtime runs; nil: ours.
        var namespace: pid_t?

        static func own(_ container: TestContainer, suffix: String = "", namespace: pid_t? = nil) -> Side {
            Side(
                program: Machine.gantry, globals: container.globals, id: container.id + suffix,
                namespace: namespace)
        }

        static func peer(_ program: String, _ container: TestContainer, namespace: pid_t? = nil) -> Side {
            Side(
                program: program, globals: ["--root", container.directory.path + "/peer"],
                id: container.id + "-peer", namespace: namespace)
        }

        /// `slice:prefix:name`, or a path on which the cgroups of no other container are.
        private var cgroupsPath: String { Machine.usesSystemd ? "system.slice:test:\(id)" : "/" + id }

        var unit: String { "test-\(id).scope" }

        func run(_ words: [String], stdin: String? = nil) async throws -> Outcome {
            let command = [program] + globals + (Machine.usesSystemd ? ["--systemd-cgroup"] : []) + words
            let entry = namespace.map { ["/usr/bin/nsenter", "--mount=/proc/\($0)/ns/mnt", "--"] } ?? []
            let line = entry + command
            return try await Command.run(line[0], Array(line.dropFirst()), stdin: stdin, seconds: 120)
        }

        func create(_ container: TestContainer, _ resources: [String: Any]) async throws -> Outcome {
            try container.set("linux.cgroupsPath", cgroupsPath)
            try container.set("linux.resources", resources)
            return try await run(["create", "--bundle", container.bundle, id])
        }

        func delete() async {
            _ = try? await run(["delete", "--force", id])
        }

        /// The directories of the container's process: where they are mounted, and which of a hierarchy.
        private func directories() async throws -> [(mount: String, path: String)] {
            let outcome = try await run(["state", id])
            let state = try #require(
                try JSONSerialization.jsonObject(with: Data(outcome.stdout.utf8)) as? [String: Any],
                "\(outcome)")
            let pid = try #require(state["pid"] as? Int)
            let mounts = try #require(Host.read("/proc/\(namespace ?? getpid())/mountinfo"))
            let lines = try String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8).split(
                separator: "\n")
            return lines.compactMap { line in
                let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                return mountPoint(of: String(fields[1]), in: mounts).map { ($0, String(fields[2])) }
            }
        }

        /// - Parameter controllers: as in /proc/PID/cgroup.
        private func mountPoint(of controllers: String, in mounts: String) -> String? {
            for line in mounts.split(separator: "\n") {
                guard let dash = line.firstRange(of: " - cgroup") else { continue }
                let fields = line.split(separator: " ")
                let tail = line[dash.upperBound...]
                let isWanted =
                    controllers.isEmpty
                    ? tail.hasPrefix("2 ")
                    : tail.hasPrefix(" ") && tail.split(separator: " ").last!.hasSuffix("," + controllers)
                if isWanted { return String(fields[4]) }
            }
            return nil
        }

        /// What can be set, in all hierarchies, by the file's name.
        func files() async throws -> [String: String] {
            var all: [String: String] = [:]
            for (mount, path) in try await directories() {
                let root = namespace.map { "/proc/\($0)/root" } ?? ""
                let directory = root + mount + path
                try #require(path.contains(id), "the process is in \(path)")
                for name in try FileManager.default.contentsOfDirectory(atPath: directory)
                where Self.isSetting(name, in: directory) {
                    let content = FileManager.default.contents(atPath: directory + "/" + name)
                    let text = String(decoding: content ?? Data(), as: UTF8.self)
                    all[name] = text.trimmingCharacters(in: .whitespacesAndNewlines)
                }
            }
            return all
        }

        /// Files that can be written and read, but for those about what happens.
        private static func isSetting(_ name: String, in directory: String) -> Bool {
            var status = stat()
            guard lstat(directory + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                status.st_mode & 0o600 == 0o600
            else { return false }
            let isEvent =
                name.hasSuffix("failcnt") || name.hasSuffix("usage_in_bytes") || name.hasSuffix(".pressure")
                || name.hasSuffix(".peak") || name.hasSuffix("usage")
            return !isEvent && !["tasks", "cgroup.procs", "cgroup.threads", "freezer.state"].contains(name)
        }

        /// What systemd thinks the limits are.
        func properties() async throws -> [String: String] {
            guard Machine.usesSystemd else { return [:] }
            let outcome = try await Command.run("/usr/bin/systemctl", ["show", unit])
            var all: [String: String] = [:]
            for line in outcome.lines {
                let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if parts.count == 2, Self.isLimit(String(parts[0])) {
                    all[String(parts[0])] = String(parts[1])
                }
            }
            return all
        }

        private static func isLimit(_ name: String) -> Bool {
            if ["Slice", "Delegate", "DelegateControllers", "DefaultDependencies", "CollectMode"].contains(
                name)
            {
                return true
            }
            if name.hasPrefix("Effective") || name.hasSuffix("Accounting") { return false }
            let isAmount = ["Current", "Peak", "Available", "Pressure", "NSec", "Bytes", "Operations"]
                .contains { name.contains($0) }
            return !isAmount
                && ["Memory", "CPU", "Tasks", "Allowed", "Startup", "IO", "Device", "BPF"].contains {
                    name.hasPrefix($0)
                }
        }
    }
}
