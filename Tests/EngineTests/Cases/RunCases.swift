/// `run` in the foreground: output, input and exit code.
let runCases = [
    EngineCase("run: output and exit code", proves: ["create", "start", "stdio", "exit-codes", "delete"]) {
        s in
        try await s("run", "--rm", s.image, "sh", "-c", "echo out; echo err >&2; exit 7")
            .exits(7).prints("out\n").complains("err")
    },
    EngineCase("run: the image's command", proves: ["create"]) { s in
        try await s("run", "--rm", "-i", s.image, stdin: "echo from a shell\n").exits(0).prints(
            "from a shell\n")
    },
    EngineCase("run: input", proves: ["stdio"]) { s in
        try await s("run", "--rm", "-i", s.image, "wc", "-c", stdin: String(repeating: "x", count: 300_000))
            .exits(0).prints("300000\n")
    },
    EngineCase("run: much output", proves: ["stdio"]) { s in
        try await s("run", "--rm", s.image, "sh", "-c", "seq 1 200000 | md5sum; seq 1 20000")
            .exits(0).prints(containing: "\n20000\n")
    },
    EngineCase("run: killed by a signal", proves: ["exit-codes", "kill"]) { s in
        try await s("run", "--rm", s.image, "sh", "-c", "sh -c 'kill -SEGV $$'; exit $?").exits(139)
        try await s("run", "-d", "--name", s.name, s.image, "sleep", "1000", compared: false).exits(0)
        try await s("kill", s.name).exits(0)
        try await s("wait", s.name).exits(0).prints("137\n")
    },
    EngineCase("run: environment, directory and host name", proves: ["create"]) { s in
        try await s(
            "run", "--rm", "-e", "A=b=c:d/e@f+g", "-e", "discovery.type=single-node", "-w", "/home/user",
            "-h", "hal", s.image, "sh", "-c", "env | grep -v container= | sort; pwd; hostname"
        ).exits(0).prints(containing: "A=b=c:d/e@f+g\n").prints(containing: "\n/home/user\nhal\n")
    },
    EngineCase("run: an image of one static program", proves: ["create"]) { s in
        let image = "static-" + s.name
        try await s("import", "static.tar", image, compared: false).exits(0)
        try await s("run", "--rm", image, "/busybox", "echo", "alone").exits(0).prints("alone\n")
    },
    EngineCase("run: PID 1", proves: ["create", "namespaces"]) { s in
        try await s("run", "--rm", s.image, "sh", "-c", "echo $$; ps -o pid,args").exits(0)
            .prints(containing: "1\nPID")
        try await s("run", "--rm", s.image, "sh", "-c", "exec readlink /proc/self").exits(0).prints("1\n")
    },
    EngineCase("run --init", proves: ["create", "mounts"]) { s in
        try await s("run", "--rm", "--init", s.image, "sh", "-c", "sleep 0 & wait; cat /proc/1/comm; exit 5")
            .exits(5).prints(containing: "init")
    },
    EngineCase(
        "run: pid file and state while it runs", on: [.docker, .podman], proves: ["pid-file", "state"]
    ) { s in
        try await s("run", "-d", "--name", s.name, s.image, "sleep", "1000", compared: false).exits(0)
        try await s("inspect", "-f", "{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}", s.name)
            .exits(0).prints("running true 0\n")
        let pid = try await s("inspect", "-f", "{{.State.Pid}}", s.name, compared: false).text
        let command = try await s.host("cat", "/proc/\(pid)/cmdline")
        try s.require(command.text.hasPrefix("sleep"), "pid \(pid) is \(command.outcome)")
    },
]

/// Programs that cannot be executed: engines make exit codes and sentences from the runtime's words.
let errorCases = [
    EngineCase("error: no such command in PATH", proves: ["not-found", "log"]) { s in
        try await s("run", "--rm", s.image, "nothing-of-that-name").exits(127)
            .complains("executable file not found in $PATH")
    },
    EngineCase("error: no such file", proves: ["not-found", "log"]) { s in
        try await s("run", "--rm", s.image, "/nothing/there").exits(127).complains(
            "no such file or directory")
    },
    EngineCase("error: not executable", proves: ["not-executable", "log"]) { s in
        try await s("run", "--rm", s.image, "/etc/plain").exits(126).complains("permission denied")
    },
    EngineCase("error: a directory", proves: ["not-executable", "log"]) { s in
        try await s("run", "--rm", s.image, "/etc").exits(126)
    },
    EngineCase("error: no interpreter", proves: ["start"]) { s in
        // gantry's `start` fails; with the control it is the container that does.
        let answer = try await s.host(s.engine.rawValue, "run", "--rm", s.image, "/bin/no-interpreter")
        try s.require(answer.outcome.code != 0, "\(answer.outcome)")
        try answer.complains("no such file or directory")
    },
    EngineCase("error: nothing is left", proves: ["delete", "not-found"]) { s in
        try await s("run", "--name", s.name, s.image, "nothing", compared: false).exits(127)
        let id = try await s("inspect", "-f", "{{.Id}}", s.name, compared: false).exits(0).text
        try await s("rm", s.name, compared: false).exits(0)
        let left = try await s.host("find", "/sys/fs/cgroup", "/run", "-name", "*\(id)*")
        try s.require(left.text.isEmpty, "left: \(left.outcome)")
    },
]
