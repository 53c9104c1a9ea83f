/// Another process in a container.
let execCases = [
    EngineCase("exec: output, input and exit code", proves: ["exec", "exit-codes", "stdio"]) { s in
        try await s(
            "run", "-d", "--name", s.name, "-e", "FROM=image", s.image, "sleep", "1000", compared: false
        )
        .exits(0)
        try await s("exec", s.name, "sh", "-c", "echo out; echo err >&2; exit 9").exits(9).prints("out\n")
            .complains("err")
        try await s("exec", "-i", s.name, "wc", "-c", stdin: String(repeating: "y", count: 100_000))
            .exits(0).prints("100000\n")
        try await s("exec", s.name, "sh", "-c", "sh -c 'kill -TERM $$'; exit $?").exits(143)
    },
    EngineCase("exec: user, directory and environment", proves: ["exec", "identity"]) { s in
        try await s(
            "run", "-d", "--name", s.name, "-e", "FROM=image", s.image, "sleep", "1000", compared: false
        )
        .exits(0)
        try await s(
            "exec", "-u", "1000:50", "-w", "/tmp", "-e", "MORE=given", s.name, "sh", "-c",
            "id; pwd; echo $FROM $MORE"
        ).exits(0).prints(containing: "uid=1000(user) gid=50(staff)").prints(
            containing: "/tmp\nimage given\n")
        try await s(
            "exec", s.name, "sh", "-c",
            "grep -E '^(Uid|Groups|Cap[A-Z][a-z]*|NoNewPrivs|Seccomp):' /proc/self/status; sed 's/[0-9a-f]*$//' /proc/self/cgroup"
        ).exits(0)
    },
    EngineCase(
        "exec: no such command, not executable", proves: ["exec", "not-found", "not-executable", "log"]
    ) {
        s in
        try await s("run", "-d", "--name", s.name, s.image, "sleep", "1000", compared: false).exits(0)
        try await s("exec", s.name, "nothing-of-that-name").exits(s.engine == .docker ? 126 : 127)
        try await s("exec", s.name, "/nothing/there").exits(s.engine == .docker ? 126 : 127)
        try await s("exec", s.name, "/etc/plain").exits(126)
        try await s("exec", "-w", "/nothing", s.name, "true")
    },
    EngineCase("exec: in the background", proves: ["exec"]) { s in
        try await s("run", "-d", "--name", s.name, s.image, "sleep", "1000", compared: false).exits(0)
        try await s("exec", "-d", s.name, "sh", "-c", "echo done >/done", compared: false).exits(0)
        try await s.until("done", "exec", s.name, "cat", "/done")
    },
    EngineCase("exec: many at once", proves: ["exec", "exit-codes"]) { s in
        try await s("run", "-d", "--name", s.name, s.image, "sleep", "1000", compared: false).exits(0)
        let script = """
            for i in 1 2 3 4 5 6 7 8; do
                (\(s.engine) exec \(s.name) sh -c "exit $i"; echo "$i $?") &
            done
            wait
            """
        let answer = try await s.host("sh", "-c", script)
        let lines = Set(answer.text.split(separator: "\n"))
        try s.require(lines == Set((1...8).map { "\($0) \($0)" }), "\(answer.outcome)")
    },
    EngineCase("exec: where nothing runs", proves: ["exec"]) { s in
        try await s("run", "--name", s.name, s.image, "true").exits(0)
        try await s("exec", s.name, "true")
    },
    EngineCase("exec: health check", proves: ["exec", "exit-codes"]) { s in
        try await s(
            "run", "-d", "--name", s.name, "--health-cmd", "test -e /healthy", "--health-interval", "1s",
            "--health-retries", "1", s.image, "sleep", "1000", compared: false
        ).exits(0)
        if s.engine == .podman {
            // Its timers are systemd's; each check is a command here.
            try await s("healthcheck", "run", s.name).exits(1)
            try await s("exec", s.name, "touch", "/healthy").exits(0)
            try await s("healthcheck", "run", s.name).exits(0)
        } else {
            try await s.until("unhealthy", "inspect", "-f", "{{.State.Health.Status}}", s.name)
            try await s("exec", s.name, "touch", "/healthy").exits(0)
            try await s.until("healthy\n1", "inspect", "-f", "{{.State.Health.Status}}\n1", s.name)
        }
    },
]

/// Through a real terminal.
let terminalCases = [
    EngineCase("terminal: run -it", proves: ["console-socket"]) { s in
        let t = try s.terminal("run", "-it", "--rm", "--name", s.name, s.image, "sh")
        try await t.prompt()
        try t.type("tty; until [ \"$(stty size)\" = '24 80' ]; do sleep 0.1; done; echo $((6 * 7))\r")
        try await t.expect("/dev/pts/0")
        try await t.expect("42")
        try t.resize(rows: 33, columns: 101)
        try t.type("while [ \"$(stty size)\" != '33 101' ]; do sleep 0.1; done; echo resi''zed\r")
        try await t.expect("resized")
        try t.type("sleep 1000\r")
        try await t.expect("sleep 1000")
        try await Task.sleep(for: .milliseconds(300))
        try t.type("\u{3}")
        try await t.prompt()
        try t.type("ls -l /dev/console | cut -c1; exit 12\r")
        try await t.expect("c\r\n")
        try s.require(try await t.end() == 12, "exit code 12 expected: \(t.output)")
    },
    EngineCase("terminal: exec -it", proves: ["console-socket", "exec"]) { s in
        try await s("run", "-d", "--name", s.name, s.image, "sleep", "1000", compared: false).exits(0)
        let t = try s.terminal("exec", "-it", s.name, "sh")
        try await t.prompt()
        try t.type("tty; echo $((6 * 7))\r")
        try await t.expect("/dev/pts/0")
        try await t.expect("42")
        try t.type("\u{4}")
        try s.require(try await t.end() == 0, "\(t.output)")
    },
    EngineCase("terminal: run -dt, logs and attach", proves: ["console-socket"]) { s in
        try await s(
            "run", "-dit", "--name", s.name, s.image, "sh", "-c", "echo first; tty; read x; echo got $x",
            compared: false
        ).exits(0)
        try await s.until("/dev/pts/0", "logs", s.name)
        let t = try s.terminal("attach", s.name)
        try await Task.sleep(for: .milliseconds(300))
        try t.type("word\r")
        try await t.expect("got word")
        try s.require(try await t.end() == 0, "\(t.output)")
        try await s("logs", s.name).exits(0)
    },
]
