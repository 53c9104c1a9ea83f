import Foundation
import Testing

/// What is wrong about the place, the caller and the command line; and what looks wrong but is not.
@Suite(.needsContainers, .timeLimit(minutes: 3))
struct InvalidSurroundingsTests {
    /// Not root; a copy of gantry that such a user may execute.
    private func asUser(_ container: TestContainer) throws -> [String] {
        chmod(container.directory.path, 0o755)
        return ["/usr/bin/setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"]
    }

    @Test("a caller without privileges is told so")
    func unprivileged() async throws {
        try await TestContainer.with { container in
            let user = try asUser(container)
            let state = try container.makeOutside("user-state")
            chown(state, 1000, 1000)
            let outcome = try await Command.run(
                user[0],
                user.dropFirst() + [
                    Machine.gantry, "--cgroup-manager", "cgroupfs", "--root", state, "run", "--bundle",
                    container.bundle, container.id,
                ])
            #expect(outcome.code == 1, "\(outcome)")
            #expect(
                outcome.stderr
                    == "gantry: containers of users other than root are not supported yet; "
                    + "run gantry as root\n"
            )
            #expect(try FileManager.default.contentsOfDirectory(atPath: state).isEmpty)
        }
    }

    @Test(
        "a state root that cannot be made",
        arguments: [
            (
                "/proc/gantry",
                "cannot make the state directory: mkdir /proc/gantry: no such file or directory"
            ),
            (
                "/etc/passwd/state",
                "cannot keep the container's state: mkdir /etc/passwd/state/test: not a directory"
            ),
            ("/dev/null", "cannot keep the container's state: mkdir /dev/null/test: not a directory"),
        ])
    func impossibleStateRoot(root: String, says: String) async throws {
        try await TestContainer.with { container in
            let outcome = try await Command.run(
                Machine.gantry, ["--root", root, "run", "--bundle", container.bundle, "test"])
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr == "gantry: \(says)\n")
        }
    }

    @Test("a read-only bundle is no hindrance: gantry writes nothing into it")
    func readOnlyBundle() async throws {
        try await TestContainer.with(["/bin/echo", "it runs"]) { container in
            // A mount of its own in a namespace of its own: the test's host stays as it is.
            let script = "mount --bind $1 $1 && mount -o remount,bind,ro $1 && shift && exec \"$@\""
            let outcome = try await Command.run(
                Machine.find("unshare")!,
                [
                    "-m", "/bin/sh", "-c", script, "sh", container.bundle, Machine.gantry, "--root",
                    container.root, "run",
                    "--bundle", container.bundle, container.id,
                ])
            #expect(outcome.stdout == "it runs\n", "\(outcome)")
        }
    }

    @Test("what a read-only rootfs lacks cannot be made")
    func readOnlyRootfs() async throws {
        try await TestContainer.with(["/bin/echo", "it runs"]) { container in
            try container.addMount("/missing", type: "tmpfs", source: "tmpfs")
            let script = "mount --bind $1 $1 && mount -o remount,bind,ro $1 && shift && exec \"$@\""
            let outcome = try await Command.run(
                Machine.find("unshare")!,
                [
                    "-m", "/bin/sh", "-c", script, "sh", container.bundle, Machine.gantry, "--root",
                    container.root, "run",
                    "--bundle", container.bundle, container.id,
                ])
            #expect(
                outcome.stderr == "gantry: mounts[7]: cannot make the mount point /missing: "
                    + "openat2 missing: read-only file system\n")
        }
    }

    @Test("descriptors that are to be preserved must be open")
    func preservedDescriptors() async throws {
        try await TestContainer.with { container in
            try await Refusal.check(
                container, "create", ["--preserve-fds", "60"],
                says: "--preserve-fds: file descriptor 3 is not open; 60 were to be preserved")
        }
    }

    @Test("--preserve-fds that is no number", arguments: ["-1", "x", "", "99999999999999999999", "1.5"])
    func preservedNumber(text: String) async throws {
        try await TestContainer.with { container in
            let outcome = try await container.gantry(
                "create", "--bundle", container.bundle, "--preserve-fds=\(text)", container.id)
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.contains("preserve-fds"), "\(outcome)")
        }
    }

    @Test(
        "a pid file that cannot be written, and what was made is taken down",
        arguments: [
            ("/nowhere/pid", "openat /nowhere/.pid: no such file or directory"),
            ("/proc/pid", "openat /proc/.pid: no such file or directory"),
            ("/etc/passwd/pid", "openat /etc/passwd/.pid: not a directory"),
            ("/tmp", "rename /.tmp: is a directory"),
        ])
    func pidFile(path: String, cause: String) async throws {
        try await TestContainer.with { container in
            try await Refusal.check(
                container, "create", ["--pid-file", path], says: "cannot write the pid file \(path): \(cause)"
            )
        }
    }

    @Test("an empty name of a pid file is none")
    func noPidFile() async throws {
        try await TestContainer.with { container in
            let outcome = try await container.run("--pid-file", "")
            #expect(outcome.code == 0, "\(outcome)")
        }
    }

    @Test(
        "a bundle that is not there, or a file",
        arguments: [("missing", "no such file or directory"), ("bundle/config.json", "not a directory")])
    func bundle(name: String, cause: String) async throws {
        try await TestContainer.with { container in
            let path = container.directory.path + "/" + name
            try await Refusal.check(
                container, "create", bundle: path, says: "cannot open {bundle}/config.json: openat: \(cause)")
        }
    }

    @Test("an ID that is taken")
    func takenID() async throws {
        try await TestContainer.with { container in
            let created = try await container.gantry("create", "--bundle", container.bundle, container.id)
            #expect(created.code == 0, "\(created)")
            try await Refusal.check(container, "create", says: "container with given ID already exists")
            try await Refusal.check(container, "run", says: "container with given ID already exists")
        }
    }

    @Test(
        "a rootfs that is a symlink, relative, absolute or not normal is resolved",
        arguments: ["link", "abs", "./x/../rootfs//"])
    func acceptedRoots(path: String) async throws {
        try await TestContainer.with(["/bin/echo", "it runs"]) { container in
            try FileManager.default.createDirectory(
                atPath: container.bundle + "/x", withIntermediateDirectories: true)
            symlink("rootfs", container.bundle + "/link")
            try container.set("root.path", path == "abs" ? container.rootfs : path)
            let outcome = try await container.run()
            #expect(outcome.stdout == "it runs\n", "\(outcome)")
        }
    }

    @Test("a capability that nobody knows is told, and the container runs without it")
    func unknownCapability() async throws {
        try await TestContainer.with(["/bin/echo", "it runs"]) { container in
            try container.set("process.capabilities.bounding", ["CAP_KILL", "CAP_NONSENSE"])
            let outcome = try await container.run()
            #expect(outcome.stdout == "it runs\n", "\(outcome)")
            #expect(
                outcome.stderr == "gantry: warning: process.capabilities.bounding[1]: "
                    + "unknown capability \"CAP_NONSENSE\", ignored\n")
        }
    }

    /// config.md, "capabilities". runc 1.1.5 and crun 1.8.1 fail.
    @Test("capabilities that gantry itself has not are told once, and the container runs without them")
    func capabilitiesOfOthers() async throws {
        try await TestContainer.with(["/bin/grep", "Cap", "/proc/self/status"]) { container in
            for set in ["bounding", "effective", "permitted", "inheritable", "ambient"] {
                try container.set("process.capabilities." + set, ["CAP_KILL", "CAP_NET_RAW", "CAP_CHOWN"])
            }
            let caller = ["/usr/bin/setpriv", "--bounding-set", "-net_raw,-chown"]
            let outcome = try await container.run(through: caller)
            #expect(outcome.code == 0, "\(outcome)")
            for set in ["CapBnd", "CapEff", "CapPrm", "CapInh", "CapAmb"] {
                #expect(statusValue(set, in: outcome.stdout) == "0000000000000020", "\(outcome)")
            }
            #expect(
                outcome.stderr == "gantry: warning: process.capabilities: the container is without"
                    + " CAP_CHOWN,CAP_NET_RAW, since gantry itself is\n")
        }
    }

    @Test("10 MB of annotations are read")
    func largeDocument() async throws {
        try await TestContainer.with(["/bin/echo", "it runs"]) { container in
            var annotations: [String: String] = [:]
            for index in 0..<10_000 { annotations["key-\(index)"] = String(repeating: "v", count: 1000) }
            try container.set("annotations", annotations)
            let outcome = try await container.run()
            #expect(outcome.stdout == "it runs\n", "\(outcome.code) \(outcome.stderr)")
        }
    }

    @Test("500 levels of a property that is unknown are read")
    func deepDocument() async throws {
        try await TestContainer.with(["/bin/echo", "it runs"]) { container in
            let path = container.bundle + "/config.json"
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let deep = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
            try text.replacing("{", with: "{ \"unknown\": \(deep),", maxReplacements: 1)
                .write(toFile: path, atomically: false, encoding: .utf8)
            let outcome = try await container.run()
            #expect(outcome.stdout == "it runs\n", "\(outcome)")
        }
    }

    @Test("a log that cannot be written is told before anything is done")
    func unwritableLog() async throws {
        try await TestContainer.with { container in
            let outcome = try await Command.run(
                Machine.gantry,
                [
                    "--root", container.root, "--log", "/nowhere/log", "create", "--bundle", container.bundle,
                    container.id,
                ])
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr == "gantry: cannot open /nowhere/log: openat: no such file or directory\n")
            #expect(!FileManager.default.fileExists(atPath: container.root))
        }
    }
}
