import Foundation
import Testing

/// What a hook that fails does to the container: nothing of it is left (runtime.md, "Lifecycle").
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct HookFailureTests {
    /// Of a start.
    static let points = TestContainer.hookPoints.dropLast()

    private static func isOfStart(_ point: String) -> Bool {
        point == "startContainer" || point == "poststart"
    }

    @Test(
        "the first hook that fails ends the start, and poststop hooks run", arguments: points, [true, false])
    func ends(_ point: String, inOneGo: Bool) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.setScript("sleep 100")
            try container.set(
                "hooks.\(point)",
                [
                    container.shell(point, "echo one >>{reports}/order"),
                    container.shell(point, "sleep 200 & echo out; echo bad >&2; exit 7"),
                    container.shell(point, "echo three >>{reports}/order"),
                ])
            try container.set("hooks.poststop", [container.reporting("poststop")])
            let says =
                "gantry: hooks.\(point)[1]: /bin/sh exited with code 7, stdout: \"out\", stderr: \"bad\"\n"
            if inOneGo {
                let outcome = try await container.run()
                #expect(outcome.code == 1 && outcome.stderr == says, "\(outcome)")
            } else {
                let isOfStart = Self.isOfStart(point)
                if isOfStart { try await container.create() }
                let words = isOfStart ? ["start"] : ["create", "--bundle", container.bundle]
                let outcome = try await Command.run(
                    Machine.gantry, ["--root", container.root] + words + [container.id])
                #expect(outcome.code == 1 && outcome.stderr == says, "\(outcome)")
            }
            #expect(container.order == ["one"])
            #expect(try container.report("poststop").state["status"] as? String == "stopped")
            try await container.expectNothingLeft()
        }
    }

    struct Broken: CustomTestStringConvertible, Sendable {
        let hook: @Sendable () -> TestContainer.JSON
        let says: String
        var testDescription: String { says }
    }

    static let broken = [
        Broken(hook: { ["path": "/no/such"] }, says: "[0].path: "),
        Broken(hook: { ["path": "/etc/passwd"] }, says: "[0].path: "),
        Broken(hook: { ["path": "/bin"] }, says: "[0].path: "),
        Broken(
            hook: { ["path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1] },
            says: "[0]: /bin/sleep was killed, since it ran for more than 1 s\n"),
        Broken(
            hook: { ["path": "/bin/sh", "args": ["sh", "-c", "kill -SEGV $$"]] },
            says: "[0]: /bin/sh was killed by signal 11\n"),
        Broken(
            hook: { ["path": "/bin/sh", "args": ["sh", "-c", #"printf '\033[2Ja\nb\377'; exit 1"#]] },
            says: #"[0]: /bin/sh exited with code 1, stdout: "\u{1B}[2Ja\nb"# + "\u{FFFD}\"\n"),
    ]

    @Test(
        "a hook that cannot run, is killed or takes too long is told in one sentence", arguments: points,
        broken)
    func told(_ point: String, _ broken: Broken) async throws {
        try await TestContainer.with { container in
            try container.set("hooks.\(point)", [broken.hook()])
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(outcome.stderr.hasPrefix("gantry: hooks.\(point)[0]"), "\(outcome)")
            #expect(outcome.stderr.contains(broken.says), "\(outcome)")
            #expect(outcome.isOneSentence, "\(outcome)")
            try await container.expectNothingLeft()
        }
    }

    @Test(
        "a poststop hook that fails is a warning, and the others run",
        arguments: ["run", "delete", "delete --force"])
    func poststop(_ command: String) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.set(
                "hooks.poststop",
                [
                    container.shell("poststop", "exit 3"), ["path": "/no/such"],
                    container.shell("poststop", "echo last >>{reports}/order"),
                ])
            let outcome: Outcome
            if command == "run" {
                outcome = try await container.run()
            } else {
                if command == "delete --force" { try container.setScript("sleep 100") }
                try await container.create()
                try await container.succeed(["start", container.id])
                if command == "delete" { try await container.waitUntil("stopped") }
                let words = command.split(separator: " ").map(String.init) + [container.id]
                outcome = try await Command.run(Machine.gantry, ["--root", container.root] + words)
            }
            #expect(outcome.code == 0, "\(outcome)")
            #expect(
                outcome.stderr.hasPrefix(
                    "gantry: warning: hooks.poststop[0]: /bin/sh exited with code 3\ngantry: warning: hooks.poststop[1].path: "
                ), "\(outcome)")
            #expect(container.order == ["last"])
            try await container.expectNothingLeft()
        }
    }

    @Test(
        "poststop hooks run after a creation that failed, before and after hooks",
        arguments: ["mounts", "process"])
    func afterFailedCreation(_ property: String) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.set("hooks.prestart", [container.reporting("prestart")])
            try container.set("hooks.poststop", [container.reporting("poststop")])
            if property == "mounts" {
                try container.addMount("/x", type: "nosuchfs", source: "x")
            } else {
                try container.set("process.args", ["/no/such"])
            }
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(container.hasReport("prestart") == (property == "process"))
            #expect(container.hasReport("poststop"))
            try await container.expectNothingLeft()
        }
    }

    @Test("a child that a hook leaves behind, with its streams open, keeps nobody waiting", arguments: points)
    func childrenLeftBehind(_ point: String) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.set(
                "hooks.\(point)", [container.shell(point, "sleep 50 & echo $! >{reports}/child")])
            let outcome = try await Command.run(
                Machine.gantry,
                ["--root", container.root, "run", "--bundle", container.bundle, container.id],
                seconds: 40)
            #expect(outcome.code == 0, "\(outcome)")
            if ["prestart", "createRuntime", "poststart"].contains(point) {
                let child = try #require(
                    pid_t(try container.text("reports/child").trimmingCharacters(in: .newlines)))
                #expect(kill(child, SIGKILL) == 0)
            }
        }
    }

    @Test("more state than a pipe holds for hooks that read none of it; more output than one holds")
    func muchOfBoth() async throws {
        try await TestContainer.with { container in
            try container.set("annotations", ["long": String(repeating: "x", count: 300_000)])
            for point in TestContainer.hookPoints {
                try container.set(
                    "hooks.\(point)",
                    [
                        [
                            "path": "/bin/sh",
                            "args": ["sh", "-c", "head -c 200000 /dev/zero; head -c 200000 /dev/zero >&2"],
                            "env": ["PATH=/bin:/usr/bin"],
                        ]
                    ])
            }
            let outcome = try await container.run()
            #expect(outcome.code == 0 && outcome.stderr == "", "\(outcome)")
        }
    }

    @Test("what a hook prints is kept by its end, bounded")
    func bounded() async throws {
        try await TestContainer.with { container in
            try container.set(
                "hooks.prestart",
                [
                    [
                        "path": "/bin/sh",
                        "args": ["sh", "-c", "head -c 100000 /dev/zero | tr '\\0' x; echo END; exit 1"],
                        "env": ["PATH=/bin:/usr/bin"],
                    ]
                ])
            let outcome = try await container.run()
            #expect(outcome.code == 1)
            #expect(
                outcome.stderr.hasSuffix("xEND\"\n") && outcome.stderr.utf8.count < 4096,
                "\(outcome.stderr.suffix(99))")
        }
    }

    @Test(
        "when gantry is killed in a hook the hook dies too, and delete removes what is left",
        arguments: points)
    func killed(_ point: String) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.setScript("sleep 100")
            // The container's ID is a word of its own, so that it is found.
            let script = "touch \(container.seen(point, "begun")); while :; do sleep 1; done"
            let args = ["sh", "-c", script, container.id]
            try container.set(
                "hooks.\(point)", [["path": "/bin/sh", "args": args, "env": ["PATH=/usr/bin:/bin"]]])
            try container.set("hooks.poststop", [container.reporting("poststop")])
            let child = try Child.spawn(
                Machine.gantry, ["--root", container.root, "run", "--bundle", container.bundle, container.id])
            try await container.waitForFile("reports/begun")
            kill(child.pid, SIGKILL)
            #expect(try await child.wait() == 128 + SIGKILL)
            try await eventually("the hook to end") {
                try !Host.processes(of: container.id).contains { Host.commandLine($0.pid).hasPrefix("sh -c") }
            }
            let outcome = try await container.gantry("delete", "--force", container.id)
            #expect(outcome.code == 0 && outcome.stderr == "", "\(outcome)")
            #expect(container.hasReport("poststop"))
            try await container.expectNothingLeft()
        }
    }

    @Test("a hook that takes too long is killed with its process group", arguments: points)
    func timeout(_ point: String) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            let script = "sh -c 'while :; do sleep 1; done' $0 & wait"
            try container.set(
                "hooks.\(point)",
                [
                    [
                        "path": "/bin/sh", "args": ["sh", "-c", script, container.id],
                        "env": ["PATH=/usr/bin:/bin"], "timeout": 1,
                    ]
                ])
            let outcome = try await container.run()
            #expect(outcome.code == 1, "\(outcome)")
            #expect(
                outcome.stderr.contains("hooks.\(point)[0]: /bin/sh was killed, since it ran"), "\(outcome)")
            try await eventually("the group to end") { try Host.processes(of: container.id).isEmpty }
            try await container.expectNothingLeft()
        }
    }

    @Test(
        "a signal ends a hook that hangs in a foreground run; poststop hooks have their time",
        arguments: points)
    func interrupted(_ point: String) async throws {
        try await TestContainer.with { container in
            try container.putReportScript()
            try container.setScript("sleep 100")
            try container.set("hooks.\(point)", [container.shell(point, "touch {reports}/begun; sleep 150")])
            try container.set(
                "hooks.poststop", [container.shell("poststop", "sleep 3; touch {reports}/gone")])
            let child = try Child.spawn(
                Machine.gantry, ["--root", container.root, "run", "--bundle", container.bundle, container.id])
            try await container.waitForFile("reports/begun")
            kill(child.pid, SIGTERM)
            #expect(try await child.wait() == 128 + SIGTERM)
            #expect(FileManager.default.fileExists(atPath: container.reports + "/gone"))
            try await container.expectNothingLeft()
        }
    }
}
