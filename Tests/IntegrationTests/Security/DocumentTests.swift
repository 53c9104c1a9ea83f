import Foundation
import Testing

/// Attacks that only need words: lengths, names, paths in config.json and on the command line.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct DocumentTests {
    private func expectRefused(_ container: TestContainer, at place: String) async throws {
        let outcome = try await container.run()
        #expect(outcome.code == 1, "\(outcome)")
        #expect(outcome.stderr.hasPrefix("gantry: \(place): "), "\(outcome)")
        #expect(outcome.lines.isEmpty, "\(outcome)")
    }

    @Test("CVE-2021-43784: more than 64 KiB of mounts all arrive")
    func manyMounts() async throws {
        try await TestContainer.with(["/bin/sh", "-c", "grep -c marked /proc/self/mountinfo"]) { container in
            let name = String(repeating: "n", count: 200)
            for index in 0..<350 {
                container.mounts.append([
                    "destination": "/tmp/\(name)/\(index)", "type": "tmpfs", "source": "marked",
                    "options": ["size=4k", "nr_inodes=2"],
                ])
            }
            try container.save()
            let outcome = try await container.run()
            #expect(outcome.stdout == "350\n", "\(outcome.code) \(outcome.stderr)")
        }
    }

    @Test("CVE-2021-43784: more than 64 KiB of environment arrives, every byte")
    func longEnvironment() async throws {
        try await TestContainer.with(["/bin/sh", "-c", "env | wc -c; echo ${#LONG}"]) { container in
            let value = String(repeating: "v", count: 100_000)
            let environment =
                ["PATH=/bin", "HOME=/"] + (0..<1000).map { "NAME\($0)=\(String(repeating: "x", count: 64))" }
            try container.set("process.env", environment + ["LONG=" + value])
            let outcome = try await container.run()
            #expect(outcome.lines.last == "100000", "\(outcome.code) \(outcome.stderr)")
        }
    }

    @Test("CVE-2021-43784: many arguments arrive in order")
    func manyArguments() async throws {
        let arguments = (0..<5000).map { "argument-number-\($0)" }
        try await TestContainer.with(["/bin/echo"] + arguments) { container in
            let outcome = try await container.run()
            #expect(
                outcome.stdout == arguments.joined(separator: " ") + "\n", "\(outcome.code) \(outcome.stderr)"
            )
        }
    }

    @Test("CVE-2021-43784: many groups, and more than the kernel takes")
    func manyGroups() async throws {
        try await TestContainer.with(["/bin/cat", "/proc/self/status"]) { container in
            try container.set("process.user.additionalGids", Array(1...20_000))
            let outcome = try await container.run()
            let groups = statusValue("Groups", in: outcome.stdout)?.split(separator: " ")
            #expect(groups?.count == 20_000, "\(outcome.code) \(outcome.stderr)")
            try container.set("process.user.additionalGids", Array(1...70_000))
            try await expectRefused(container, at: "process.user")
        }
    }

    @Test(
        "CVE-2021-43784: a path longer than any path is refused",
        arguments: [
            ("process.cwd", "process.cwd"), ("root.path", "root.path"), ("process.args", "process.args"),
        ])
    func longPaths(property: String, place: String) async throws {
        try await TestContainer.with { container in
            let path = String(repeating: "/" + String(repeating: "d", count: 200), count: 400)
            try container.set(property, property == "process.args" ? [path] as Any : path)
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.contains("file name too long"), "\(outcome)")
        }
    }

    @Test(
        "CVE-2021-43784: a mount destination and source longer than any path, too",
        arguments: ["destination", "source"])
    func longMountPaths(property: String) async throws {
        try await TestContainer.with { container in
            let path = String(repeating: "/" + String(repeating: "d", count: 200), count: 400)
            var mount: TestContainer.JSON = [
                "destination": "/tmp", "source": "/tmp", "options": ["bind"], "type": "bind",
            ]
            mount[property] = path
            container.mounts.append(mount)
            try container.save()
            try await expectRefused(container, at: "mounts[7]")
        }
    }

    @Test(
        "Container ID traversal: an ID is a name",
        arguments: [
            ".", "..", "../x", "a/b", "/", "/etc", "a/../b", "", " ", "a b", "a\nb", "ü", "a:b", "a%2fb",
            "a\\b",
            String(repeating: "a", count: 256), String(repeating: "a", count: 1025),
            String(repeating: "a", count: 70_000),
        ])
    func containerID(id: String) async throws {
        try await TestContainer.with { container in
            for command in [
                ["create", "--bundle", container.bundle], ["run", "--bundle", container.bundle], ["state"],
                ["start"], ["kill"], ["delete"], ["delete", "--force"],
            ] {
                let outcome = try await Command.run(
                    Machine.gantry, ["--root", container.root] + command + ["--", id])
                // An unknown container is fine for delete --force; a name that can be none is not.
                #expect(outcome.code == 1, "\(outcome)")
                #expect(outcome.stderr.hasPrefix("gantry: "), "\(outcome)")
            }
            let made = try? FileManager.default.contentsOfDirectory(atPath: container.root)
            #expect((made ?? []).isEmpty)
        }
    }

    @Test(
        "runc 1.1.10: a page size is a size, not a path",
        arguments: ["../../x", "2MB/../../x", "..", "", "2MB\n", "MB", "-2MB", "2mb", "2M", "/2MB", "2 MB"])
    func pageSize(size: String) async throws {
        try await TestContainer.with { container in
            try container.set("linux.resources.hugepageLimits", [["pageSize": size, "limit": 0]])
            try await expectRefused(container, at: "linux.resources.hugepageLimits[0].pageSize")
        }
    }

    @Test(
        "crun 1.28: a cgroup path does not climb",
        arguments: ["..", "/..", "../x", "/a/../../x", "a/..", "/../../../etc"])
    func cgroupsPath(path: String) async throws {
        try await TestContainer.with { container in
            try container.set("linux.cgroupsPath", path)
            try await expectRefused(container, at: "linux.cgroupsPath")
        }
    }

    @Test(
        "crun 1.28: a key of unified is a file of the container's cgroup",
        arguments: ["../cgroup.procs", "a/b", "..", ".", "", "/etc/passwd"])
    func unifiedKeys(key: String) async throws {
        try await TestContainer.with { container in
            container.config.set(["linux", "resources", "unified"], [key: "1"])
            try container.save()
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.hasPrefix("gantry: linux.resources.unified["), "\(outcome)")
        }
    }

    @Test(
        "hardening: a NUL byte nowhere cuts a text short",
        arguments: [
            "process.cwd", "process.args", "process.env", "root.path", "hostname", "linux.cgroupsPath",
            "linux.maskedPaths", "linux.readonlyPaths", "mounts.destination", "mounts.source", "mounts.type",
            "mounts.options", "linux.namespaces.path", "linux.devices.path",
        ])
    func nulBytes(property: String) async throws {
        try await TestContainer.with { container in
            let parts = property.split(separator: ".").map(String.init)
            let text = "/tmp\u{0}/x"
            switch property {
            case "process.args", "linux.maskedPaths", "linux.readonlyPaths":
                try container.set(property, [text])
            case "process.env": try container.set(property, ["A=b\u{0}c"])
            case "mounts.options": container.mounts[0]["options"] = ["nosuid\u{0}x"]
            case _ where parts[0] == "mounts": container.mounts[0][parts[1]] = text
            case "linux.namespaces.path":
                try container.set("linux.namespaces", [["type": "mount"], ["type": "ipc", "path": text]])
            case "linux.devices.path":
                try container.set("linux.devices", [["path": text, "type": "c", "major": 1, "minor": 3]])
            default: try container.set(property, text)
            }
            try container.save()
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.hasPrefix("gantry: \(parts[0])"), "\(outcome)")
            #expect(outcome.stderr.contains("NUL"), "\(outcome)")
        }
    }

    @Test(
        "hardening: options of a file system are refused on a bind mount",
        arguments: ["size=1m", "mode=755", "sync", "dirsync", "lazytime", "context=x", "remount", "nonsense"])
    func optionsOfBinds(option: String) async throws {
        try await TestContainer.with { container in
            let source = try container.makeOutside()
            try container.addMount("/tmp", type: "bind", source: source, options: ["bind", option])
            try await expectRefused(container, at: "mounts[7].options[1]")
        }
    }
}
