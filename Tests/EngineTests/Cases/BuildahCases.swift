private let on: [Engine] = [.buildah]

extension Session {
    /// A working container of buildah's.
    fileprivate func from(_ flags: String...) async throws {
        try await run(["from", "--name", name] + flags + [image], compared: false).exits(0)
    }
}

/// `buildah run`.
let buildahCases = [
    EngineCase(
        "buildah run: output and exit code", on: on,
        proves: ["create", "start", "state", "delete", "subreaping"]
    ) {
        s in
        try await s.from()
        try await s("run", s.name, "sh", "-c", "echo out; echo err >&2; exit 7").exits(7).prints("out\n")
            .complains("err")
        try await s("run", s.name, "--", "sh", "-c", "echo kept >/kept").exits(0)
        try await s("run", s.name, "cat", "/kept").exits(0).prints("kept\n")
    },
    EngineCase("buildah run: input", on: on, proves: ["stdio"]) { s in
        try await s.from()
        try await s("run", s.name, "wc", "-c", stdin: String(repeating: "x", count: 100_000)).exits(0).prints(
            "100000\n")
    },
    EngineCase("buildah run: what cannot be executed", on: on, proves: ["not-found", "not-executable"]) { s in
        try await s.from()
        try await s("run", s.name, "nothing").exits(1).complains("executable file not found in $PATH")
        try await s("run", s.name, "/etc/plain").exits(1).complains("permission denied")
    },
    EngineCase("buildah run: user, directory, volume", on: on, proves: ["identity", "mounts"]) { s in
        try await s.from()
        let directory = s.ride.world.home + "/" + s.name
        _ = try await s.host("sh", "-c", "mkdir -p \(directory); echo given >\(directory)/file")
        try await s(
            "run", "--user", "1000:50", "--workingdir", "/tmp", "--env", "A=b=c", "--volume",
            directory + ":/data:ro",
            "--hostname", "hal", s.name, "sh", "-c",
            "id; pwd; echo $A; cat /data/file; hostname; touch /data/x"
        ).exits(1).prints(containing: "uid=1000(user)").prints(containing: "/tmp\nb=c\ngiven\nhal\n")
    },
    EngineCase("buildah run: capabilities", on: on, proves: ["security"]) { s in
        try await s.from()
        try await s(
            "run", "--cap-drop", "CAP_CHOWN", "--cap-add", "CAP_SYS_ADMIN", s.name, "grep", "-E",
            "^(Cap|Seccomp)",
            "/proc/self/status"
        ).exits(0).prints(containing: "CapEff:\t00000000")
    },
    EngineCase("buildah run: limits", on: on, proves: ["limits"]) { s in
        try await s.from("--memory", "64m")
        try await s(
            "run", s.name, "sh", "-c",
            "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max"
        ).exits(0)
            .prints("67108864\n")
    },
    EngineCase("buildah run: networks", on: on, proves: ["namespaces"]) { s in
        try await s.from()
        try await s("run", "--network", "none", s.name, "ls", "/sys/class/net").exits(0).prints("lo\n")
        try await s("run", s.name, "ls", "/sys/class/net").exits(0)
    },
    EngineCase("buildah run: a terminal", on: on, proves: ["console-socket"]) { s in
        try await s.from()
        let t = try s.terminal("run", "-t", s.name, "sh")
        try await t.prompt()
        try t.type("tty; echo $((6 * 7)); exit 12\r")
        try await t.expect("/dev/pts/0")
        try await t.expect("42")
        try s.require(try await t.end() == 12, "\(t.output)")
    },
]
