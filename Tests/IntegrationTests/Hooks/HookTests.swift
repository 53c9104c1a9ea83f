import Foundation
import Testing

/// Hooks (config.md, "POSIX-platform Hooks"; runtime.md, "Lifecycle"): when they run, where, and with what.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct HookTests {
    static let points = TestContainer.hookPoints
    /// Where a hook is the host's process.
    static let outside = ["prestart", "createRuntime", "poststart", "poststop"]

    /// Two hooks at every point, and the user's program between them.
    @Test("hooks run in the order of the lifecycle, and of their lists", arguments: [true, false])
    func order(inOneGo: Bool) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.setScript("echo process >>/reports/order")
            for point in Self.points {
                try container.set(
                    "hooks.\(point)",
                    (0..<2).map { container.shell(point, "echo \(point) \($0) >>{reports}/order") })
            }
            if inOneGo {
                let outcome = try await container.run()
                #expect(outcome.code == 0 && outcome.stderr == "", "\(outcome)")
            } else {
                try await container.create()
                #expect(container.order == Self.twice(["prestart", "createRuntime", "createContainer"]))
                try await container.succeed(["start", container.id])
                try await container.waitUntil("stopped")
                try await container.succeed(["delete", container.id])
            }
            // Whether poststart comes before the program's first words is a race that nobody is promised to win.
            #expect(
                container.order.filter { $0 != "process" } == Self.twice(Self.points), "\(container.order)")
            #expect(container.order.contains("process"))
            try await container.expectNothingLeft()
        }
    }

    private static func twice(_ points: [String]) -> [String] { points.flatMap { ["\($0) 0", "\($0) 1"] } }

    @Test("the state on stdin", arguments: points)
    func state(_ point: String) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.setScript("sleep 100")
            try container.set("annotations", ["b": "2", "a.key": "with \"quotes\" and ünïcode\n"])
            try container.set("hooks.\(point)", [container.reporting(point)])
            try await container.create("--pid-file", container.directory.path + "/pid")
            let pid = Int(try String(contentsOfFile: container.directory.path + "/pid", encoding: .utf8))
            try await container.succeed(["start", container.id])
            try await container.succeed(["delete", "--force", container.id])
            let state = try container.report(point).state
            #expect(state["ociVersion"] as? String == "1.3.0")
            #expect(state["id"] as? String == container.id)
            #expect(state["bundle"] as? String == container.bundle)
            #expect(
                state["annotations"] as? [String: String] == container.config["annotations"]
                    as? [String: String])
            let status = [
                "prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
                "startContainer": "created", "poststart": "running", "poststop": "stopped",
            ]
            #expect(state["status"] as? String == status[point])
            // As whoever reads it sees the process; a container that is gone has none.
            let isInside = ["createContainer", "startContainer"].contains(point)
            #expect(state["pid"] as? Int == (point == "poststop" ? nil : isInside ? 1 : pid))
        }
    }

    @Test("words, environment and working directory are the hook's own", arguments: points)
    func program(_ point: String) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            let name = container.seen(point, "by name")
            // Without args the path is the program's name; without env there is none, PATH included.
            try container.set(
                "hooks.\(point)",
                [
                    container.reporting(point),
                    container.reporting(point, "bare", ["env": nil]),
                    [
                        "path": point == "startContainer" ? "/bin/busybox" : Machine.busybox!,
                        "args": ["touch", name],
                    ],
                    ["path": "/bin/true"],
                ])
            let outcome = try await container.run()
            #expect(outcome.code == 0 && outcome.stderr == "", "\(outcome)")
            let report = try container.report(point)
            #expect(report["args"] == [container.seen(point, point), "second word"])
            #expect(
                report["env"].filter { !$0.hasPrefix("PWD=") } == [
                    "HOOK=\(point)", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                ])
            #expect(try container.report("bare")["env"].filter { !$0.hasPrefix("PWD=") } == [])
            #expect(FileManager.default.fileExists(atPath: container.reports + "/by name"))
        }
    }

    @Test("the caller's environment and descriptors do not reach hooks", arguments: points)
    func nothingOfTheCaller(_ point: String) async throws {
        try await TestContainer.with { container in
            let output = container.directory.path + "/output"
            let program = point == "startContainer" ? "/bin/busybox" : Machine.busybox!
            try container.set(
                "hooks.\(point)",
                [["path": program, "args": ["env"]], ["path": program, "args": ["ls", "/proc/self/fd"]]])
            try container.set("annotations", ["run.oci.hooks.stdout": output])
            let words = [
                "--root", container.root, "run", "--preserve-fds", "2", "--bundle", container.bundle,
            ]
            let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
            defer { close(null) }
            let child = try Child.spawn(
                Machine.gantry, words + [container.id], environment: ["SECRET": "1"],
                descriptors: [3: null, 4: null, 7: null])
            #expect(try await child.wait() == 0)
            // 3 is the directory that `ls` reads.
            #expect(try String(contentsOfFile: output, encoding: .utf8) == "0\n1\n2\n3\n")
        }
    }

    @Test(
        "a hook on the host is in the caller's namespaces and cgroups, a process group of its own",
        arguments: outside)
    func onTheHost(_ point: String) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.set("hooks.\(point)", [container.reporting(point)])
            let outcome = try await container.run()
            #expect(outcome.code == 0, "\(outcome)")
            let report = try container.report(point)
            for (name, namespace) in report.namespaces {
                #expect(
                    namespace
                        == (try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(name)"))
                )
            }
            #expect(report.namespaces.count == 7)
            #expect(!report["cgroup"].contains { $0.contains(container.id) })
            #expect(report["cwd"] == [container.bundle])
            #expect(report.status("NSpgid") != report.status("NSsid"))
        }
    }

    @Test(
        "a hook in the container is in its namespaces and cgroup",
        arguments: ["createContainer", "startContainer"])
    func inTheContainer(_ point: String) async throws {
        try await TestContainer.with(["/bin/report", "/reports/process"]) { container in
            try container.putReportScript()
            var namespaces = try #require(container.value("linux.namespaces") as? [TestContainer.JSON])
            namespaces.append(["type": "cgroup"])
            try container.set("linux.namespaces", namespaces)
            try container.set("hooks.\(point)", [container.reporting(point)])
            let outcome = try await container.run()
            #expect(outcome.code == 0, "\(outcome)")
            let report = try container.report(point)
            #expect(report.namespaces == (try container.report("process").namespaces))
            #expect(report.namespaces.count == 7)
            // By its own word it is in the root of its cgroup namespace.
            #expect(report["cgroup"].allSatisfy { $0.hasSuffix(":/") }, "\(report["cgroup"])")
            // Only startContainer sees the container's root.
            #expect(report["root"].contains("reports") == (point == "startContainer"))
            #expect(report["cwd"] == [point == "startContainer" ? "/" : container.rootfs])
        }
    }

    @Test(
        "without a namespace of a kind a hook in the container is in the host's",
        arguments: ["createContainer", "startContainer"])
    func inFewNamespaces(_ point: String) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.set("linux.namespaces", [["type": "mount"]])
            try container.set("hostname", nil)
            try container.set("hooks.\(point)", [container.reporting(point)])
            try await container.create("--pid-file", container.directory.path + "/pid")
            try await container.succeed(["start", container.id])
            let report = try container.report(point)
            for name in ["cgroup", "ipc", "net", "pid", "user", "uts"] {
                let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/\(name)")
                #expect(report.namespaces[name] == own)
            }
            let pid = Int(try String(contentsOfFile: container.directory.path + "/pid", encoding: .utf8))
            #expect(try report.state["pid"] as? Int == pid)
        }
    }

    @Test("hooks are what they are with runc: rights, limits, directory, cgroup, words and state")
    func likeRunc() async throws {
        guard let runc = Machine.runc else { return }
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.set(
                "process.user", ["uid": 1000, "gid": 1001, "additionalGids": [7], "umask": 0o027])
            try container.set("process.cwd", "/tmp")
            try container.set("process.rlimits", [["type": "RLIMIT_NOFILE", "soft": 300, "hard": 400]])
            try container.set("process.oomScoreAdj", 500)
            try container.set("annotations", ["b": "<&>", "a": "\u{1F600}"])
            try container.set(
                "linux.seccomp",
                [
                    "defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [["names": ["swapon"], "action": "SCMP_ACT_ERRNO"]],
                ])
            for point in Self.points { try container.set("hooks.\(point)", [container.reporting(point)]) }
            let ours = try await container.run()
            #expect(ours.code == 0 && ours.stderr == "", "\(ours)")
            let reports = try Self.points.map { try container.report($0) }
            try FileManager.default.removeItem(atPath: container.reports)
            try container.putReportScript()
            let theirs = try await container.runPeer(runc)
            try #require(theirs.code == 0, "\(theirs)")
            for (point, our) in zip(Self.points, reports) {
                let their = try container.report(point)
                #expect(our.identity == their.identity, "\(point)")
                for section in ["args", "cwd", "env", "limits", "score", "root"] {
                    // Since 1.1.13 runc gives the container's process its limit on open files earlier than all others.
                    if section == "limits", point == "createContainer", !JustifiedDifference.peerIsOfDebian12
                    {
                        continue
                    }
                    #expect(our[section] == their[section], "\(point): \(section)")
                }
                #expect(
                    our["cgroup"]
                        == their["cgroup"].map {
                            $0.replacing(container.id + "-peer", with: container.id)
                                .replacing("/runc-", with: "/gantry-")
                        })
                #expect(our.status("SigIgn") == "0000000000000000")
                #expect(
                    try our.state["annotations"] as? [String: String]
                        == their.state["annotations"] as? [String: String])
                #expect(try our.state["bundle"] as? String == their.state["bundle"] as? String)
                // runc 1.1.5 runs poststart hooks too early.
                if point != "poststart" {
                    #expect(try our.state["status"] as? String == their.state["status"] as? String)
                }
                #expect(try Set(our.state.keys) == Set(their.state.keys), "\(point)")
            }
        }
    }

    @Test("a hook may ask gantry for the container's state", arguments: outside)
    func asksForState(_ point: String) async throws {
        try await TestContainer.with { container in
            try container.setScript("sleep 100")
            let output = container.directory.path + "/output"
            try container.set("annotations", ["run.oci.hooks.stdout": output])
            try container.set(
                "hooks.\(point)",
                [
                    [
                        "path": Machine.gantry,
                        "args": ["gantry", "--root", container.root, "state", container.id],
                    ]
                ])
            try await container.create()
            try await container.succeed(["start", container.id])
            _ = try await container.gantry("delete", "--force", container.id)
            let text = try String(contentsOfFile: output, encoding: .utf8)
            if point == "poststop" {
                #expect(text == "")
                return
            }
            let state = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            #expect(state?["status"] as? String == (point == "poststart" ? "running" : "creating"))
            #expect(state?["pid"] as? Int ?? 0 > 0)
        }
    }
}
