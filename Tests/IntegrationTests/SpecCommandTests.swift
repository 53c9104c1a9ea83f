import Foundation
import Testing

/// `spec`.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct SpecCommandTests {
    typealias JSON = [String: Any]

    private func withDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = try TemporaryDirectory("spec")
        defer { directory.remove() }
        try await body(directory.path)
    }

    private func spec(_ directory: String, _ flags: String..., program: String = Machine.gantry) async throws
        -> Outcome
    {
        try await Command.run(program, ["spec", "--bundle", directory] + flags)
    }

    private func read(_ directory: String) throws -> JSON {
        let data = try Data(contentsOf: URL(filePath: directory + "/config.json"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? JSON)
    }

    /// The same value, in any order of properties.
    private func same(_ one: Any?, _ other: Any?) throws -> Bool {
        let texts = try [one, other].map { value in
            try JSONSerialization.data(withJSONObject: [value ?? NSNull()], options: .sortedKeys)
        }
        return texts[0] == texts[1]
    }

    /// In all but these runc's document means the same: versions, names, a cgroup namespace, no ambient
    /// capabilities, more masks.
    @Test(.enabled(if: Machine.runc != nil, "runc is not installed"), arguments: [[], ["--rootless"]])
    func likeTheDocumentOfRunc(flags: [String]) async throws {
        try await withDirectory { directory in
            let (own, other) = (directory + "/gantry", directory + "/runc")
            for (path, program) in [(own, Machine.gantry), (other, Machine.runc!)] {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
                let outcome = try await Command.run(program, ["spec", "--bundle", path] + flags)
                #expect(outcome.code == 0 && outcome.stdout.isEmpty && outcome.stderr.isEmpty, "\(outcome)")
            }
            let mine = try read(own)
            let theirs = try read(other)
            #expect(mine.keys.sorted() == theirs.keys.sorted())
            #expect(try same(mine["root"], theirs["root"]))
            #expect(try same(mine["mounts"], theirs["mounts"]), "\(mine["mounts"] ?? "")")
            let process = try #require(mine["process"] as? JSON)
            for (key, value) in try #require(theirs["process"] as? JSON) where key != "capabilities" {
                #expect(try same(process[key], value), "\(key)")
            }
            var capabilities = try #require(theirs.value(["process", "capabilities"]) as? JSON)
            capabilities["ambient"] = nil
            capabilities["inheritable"] = nil
            #expect(try same(process["capabilities"], capabilities))

            let linux = try #require(mine["linux"] as? JSON)
            for (key, value) in try #require(theirs["linux"] as? JSON) {
                switch key {
                case "namespaces":
                    let types = Set((value as! [[String: String]]).map { $0["type"]! })
                    let own = Set((linux[key] as! [[String: String]]).map { $0["type"]! })
                    #expect(own == types.union(["cgroup"]))
                case "maskedPaths":
                    #expect(Set(value as! [String]).isSubset(of: linux[key] as! [String]))
                default: #expect(try same(linux[key], value), "\(key)")
                }
            }
        }
    }

    /// What it writes runs as it is, but for the terminal, with gantry and with a peer, and looks the same inside.
    @Test(.enabled(if: Machine.runc != nil, "runc is not installed"))
    func itRuns() async throws {
        try await TestContainer.with { container in
            try FileManager.default.removeItem(atPath: container.bundle + "/config.json")
            let outcome = try await spec(container.bundle)
            #expect(outcome.code == 0, "\(outcome)")
            container.config = try read(container.bundle)
            try container.set("process.terminal", false)
            try container.setScript(
                "id; hostname; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; touch /x; ls /dev")
            let own = try await container.run()
            let peer = try await container.runPeer(Machine.runc!)
            #expect(own.stdout == peer.stdout)
            #expect(own.stdout.contains("gantry\n"), "\(own)")
            #expect(own.stderr.contains("Read-only file system"), "\(own)")
        }
    }

    /// CVE-2022-24769 and its like: no inheritable capabilities, no ambient ones.
    @Test func CVE_2022_24769_noInheritableCapabilities() async throws {
        try await TestContainer.with { container in
            try FileManager.default.removeItem(atPath: container.bundle + "/config.json")
            _ = try await spec(container.bundle)
            container.config = try read(container.bundle)
            try container.set("process.terminal", false)
            try container.setScript("grep -E '^Cap(Inh|Amb)' /proc/self/status")
            #expect(
                try await container.run().lines
                    == ["CapInh:\t0000000000000000", "CapAmb:\t0000000000000000"])
        }
    }

    /// The row "powercap": files of the kernel's that tell too much cannot be read.
    @Test func powercap() async throws {
        let masked = [
            "/sys/devices/virtual/powercap", "/sys/firmware", "/proc/acpi", "/proc/asound",
            "/proc/interrupts",
            "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
            "/proc/timer_list", "/proc/timer_stats",
        ]
        try await TestContainer.with { container in
            try FileManager.default.removeItem(atPath: container.bundle + "/config.json")
            _ = try await spec(container.bundle)
            container.config = try read(container.bundle)
            #expect(Set(container.value("linux.maskedPaths") as? [String] ?? []) == Set(masked))
            try container.set("process.terminal", false)
            try container.setScript(
                "for p in \(masked.joined(separator: " ")); do if [ -d $p ]; then ls -A $p; "
                    + "elif [ -e $p ]; then head -c 1 $p; fi; done; echo end")
            let outcome = try await container.run()
            #expect(outcome.stdout == "end\n", "\(outcome)")
        }
    }

    @Test(.enabled(if: Machine.runc != nil, "runc is not installed"))
    func aRootlessDocumentRuns() async throws {
        try await TestContainer.with { container in
            try FileManager.default.removeItem(atPath: container.bundle + "/config.json")
            let outcome = try await spec(container.bundle, "--rootless")
            #expect(outcome.code == 0, "\(outcome)")
            container.config = try read(container.bundle)
            try container.set("process.terminal", false)
            try container.setScript("cat /proc/self/uid_map")
            let peer = try await container.runPeer(Machine.runc!)
            #expect(peer.stdout.split(separator: " ") == ["0", "0", "1\n"], "\(peer)")
        }
    }

    @Test func nothingIsOverwritten() async throws {
        try await withDirectory { directory in
            let path = directory + "/config.json"
            try "mine".write(toFile: path, atomically: false, encoding: .utf8)
            let outcome = try await spec(directory)
            #expect(outcome.code == 1)
            #expect(outcome.stderr == "gantry: File config.json exists. Remove it first\n")
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "mine")
            // A link that leads nowhere is there as well.
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.createSymbolicLink(
                atPath: path, withDestinationPath: directory + "/elsewhere")
            #expect(try await spec(directory).code == 1)
            #expect(!FileManager.default.fileExists(atPath: directory + "/elsewhere"))
        }
    }

    @Test func whereItGoes() async throws {
        try await withDirectory { directory in
            let missing = try await spec(directory + "/missing")
            #expect(missing.code == 1 && missing.isOneSentence, "\(missing)")
            #expect(missing.stderr.contains("no such file or directory"), "\(missing)")
            let here = try await Command.run(Machine.gantry, ["spec"], directory: directory)
            #expect(here.code == 0, "\(here)")
            #expect(try read(directory)["ociVersion"] as? String == "1.3.0")
        }
    }
}
