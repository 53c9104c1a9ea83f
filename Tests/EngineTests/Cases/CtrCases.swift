private let on: [Engine] = [.containerd]

/// `ctr run` in the foreground.
let ctrCases = [
    EngineCase(
        "ctr run: output and exit code", on: on, proves: ["create", "start", "stdio", "exit-codes", "delete"]
    ) {
        s in
        try await s("run", "--rm", s.image, s.name, "sh", "-c", "echo out; echo err >&2; exit 7")
            .exits(7).prints("out\n").complains("err")
        let left = try await s("container", "ls", "-q", compared: false)
        try s.require(!left.text.contains(s.name), "\(left.outcome)")
    },
    EngineCase("ctr run: input", on: on, proves: ["stdio"]) { s in
        try await s("run", "--rm", s.image, s.name, "sh", "-c", "read a; echo got $a", stdin: "this\n").exits(
            0
        )
        .prints("got this\n")
    },
    EngineCase("ctr run: what cannot be executed", on: on, proves: ["not-found", "not-executable", "log"]) {
        s in
        try await s("run", "--rm", s.image, s.name, "nothing").exits(1).complains(
            "executable file not found in $PATH")
        try await s("run", "--rm", s.image, s.name, "/nothing/there").exits(1).complains(
            "no such file or directory")
        try await s("run", "--rm", s.image, s.name, "/etc/plain").exits(1).complains("permission denied")
        let left = try await s.host(
            "sh", "-c", "find /sys/fs/cgroup -name \"*$0*\"; ls /run/containerd/runc/default", s.name)
        try s.require(!left.text.contains(s.name), "left: \(left.outcome)")
    },
    EngineCase("ctr run: directory, environment", on: on, proves: ["identity"]) { s in
        try await s(
            "run", "--rm", "--cwd", "/tmp", "--env", "A=b=c", s.image, s.name, "sh", "-c",
            "id; pwd; echo $A; grep -E '^(Groups|Cap[A-Z][a-z]*|Seccomp|NoNewPrivs):' /proc/self/status"
        ).exits(0).prints(containing: "/tmp\nb=c\n")
    },
    EngineCase("ctr run: mounts", on: on, proves: ["mounts"]) { s in
        let directory = s.ride.world.home + "/" + s.name
        _ = try await s.host("sh", "-c", "mkdir -p \(directory); echo given >\(directory)/file")
        try await s(
            "run", "--rm", "--read-only", "--mount", "type=bind,src=\(directory),dst=/data,options=rbind:rw",
            s.image,
            s.name, "sh", "-c", "cat /data/file; touch /x || echo refused; touch /data/made && echo allowed"
        ).exits(0).prints("given\nrefused\nallowed\n")
    },
    EngineCase("ctr run: limits", on: on, proves: ["limits"]) { s in
        try await s("run", "-d", "--memory-limit", "67108864", s.image, s.name, "sleep", "1000").exits(0)
        let group = "$(find /sys/fs/cgroup -path \"*/default/$0\" -type d)"
        let files = "for c in \(group); do cat $c/memory.limit_in_bytes $c/memory.max; done 2>/dev/null"
        let found = try await s.host("sh", "-c", files, s.name)
        try s.require(found.text == "67108864", "\(found.outcome)")
        try await s(
            "run", "--rm", "--memory-limit", "16777216", s.image, s.name + "-2", "dd", "if=/dev/zero",
            "of=/dev/null",
            "bs=200M", "count=1", compared: false
        ).exits(137)
    },
    EngineCase("ctr run: cgroup, privileged, host network", on: on, proves: ["cgroup-path", "namespaces"]) {
        s in
        try await s("run", "--rm", "--cgroup", "/own/" + s.name, s.image, s.name, "cat", "/proc/self/cgroup")
            .exits(0)
            .prints(containing: "/own/" + s.name)
        try await s("run", "--rm", "--privileged", s.image, s.name, "grep", "Cap", "/proc/self/status").exits(
            0)
        let inside = try await s(
            "run", "--rm", "--net-host", s.image, s.name, "readlink", "/proc/self/ns/net",
            compared: false
        ).exits(0)
        let outside = try await s.host("readlink", "/proc/self/ns/net")
        try s.require(inside.text == outside.text, "\(inside.outcome)")
    },
    EngineCase("ctr run: a terminal", on: on, proves: ["console-socket"]) { s in
        let script =
            "tty; until [ \"$(stty size)\" = '24 80' ]; do sleep 0.1; done; echo ready; read x; echo got $x; exit 12"
        let t = try s.terminal("run", "--rm", "-t", s.image, s.name, "sh", "-c", script)
        try await t.expect("/dev/pts/0")
        try await t.expect("ready")
        try t.type("word\r")
        try await t.expect("got word")
        try s.require(try await t.end() == 12, "\(t.output)")
    },
    EngineCase("ctr run: a root file system of one's own", on: on, proves: ["create"]) { s in
        try await s("run", "--rm", "--rootfs", "box", s.name, "/bin/echo", "own").exits(0).prints("own\n")
    },
]

/// Tasks in the background.
let ctrTaskCases = [
    EngineCase(
        "ctr task: life", on: on, proves: ["create", "start", "kill", "delete", "pid-file", "exit-codes"]
    ) { s in
        let script = "trap 'exit 3' TERM; touch /ready; while :; do sleep 0.1; done"
        try await s(
            "run", "-d", "--pid-file", s.ride.world.home + "/\(s.name).pid", s.image, s.name, "sh", "-c",
            script
        )
        .exits(0)
        let pid = try await s.host("cat", s.name + ".pid").text
        let list = try await s("task", "ls", compared: false).exits(0)
        try s.require(list.text.contains(s.name) && list.text.contains("RUNNING"), "\(list.outcome)")
        try s.require(list.text.contains(pid), "pid \(pid): \(list.outcome)")
        let ps = try await s("task", "ps", s.name, compared: false).exits(0)
        try s.require(ps.text.contains(pid), "\(ps.outcome)")
        try await s("container", "rm", s.name)
        try await s("task", "rm", s.name)
        try await s.until(
            "/ready", "task", "exec", "--exec-id", "look", s.name, "sh", "-c", "until ls /ready; do :; done")
        try await s("task", "kill", s.name).exits(0)
        try await s.until("STOPPED", "task", "ls")
        try await s("task", "kill", s.name)
        try await s("task", "rm", s.name, compared: false).exits(0).complains("exit code 3")
        try await s("container", "rm", s.name).exits(0)
    },
    EngineCase("ctr task: created, then started", on: on, proves: ["create", "start"]) { s in
        try await s("container", "create", s.image, s.name, "cat", "/etc/plain").exits(0)
        try await s("task", "start", s.name).exits(0).prints("not a program\n")
        try await s("container", "rm", s.name).exits(0)
    },
    EngineCase("ctr task: exec", on: on, proves: ["exec", "exit-codes", "not-found"]) { s in
        try await s("run", "-d", s.image, s.name, "sleep", "1000").exits(0)
        try await s("task", "exec", "--exec-id", "one", s.name, "sh", "-c", "echo out; exit 9").exits(9)
            .prints("out\n")
        try await s(
            "task", "exec", "--exec-id", "two", "--user", "1000:50", "--cwd", "/tmp", s.name, "sh", "-c",
            "id; pwd"
        ).exits(0).prints(containing: "uid=1000(user)").prints(containing: "/tmp\n")
        try await s("task", "exec", "--exec-id", "three", s.name, "nothing").exits(1)
            .complains("executable file not found in $PATH")
        try await s("task", "exec", "--exec-id", "four", s.name, "/etc/plain").exits(1).complains(
            "permission denied")
        let t = try s.terminal(
            "task", "exec", "-t", "--exec-id", "five", s.name, "sh", "-c", "tty; read x; echo got $x; exit 12"
        )
        try await t.expect("/dev/pts/0")
        try t.type("word\r")
        try await t.expect("got word")
        try s.require(try await t.end() == 12, "\(t.output)")
    },
    EngineCase("ctr task: pause", on: on, proves: ["pause", "state"]) { s in
        try await s("run", "-d", s.image, s.name, "sleep", "1000").exits(0)
        try await s("task", "pause", s.name).exits(0)
        let list = try await s("task", "ls", compared: false)
        try s.require(list.text.contains("PAUSED"), "\(list.outcome)")
        try await s("task", "resume", s.name).exits(0)
        try await s("task", "exec", "--exec-id", "one", s.name, "true").exits(0)
    },
    EngineCase("ctr task: signals", on: on, proves: ["kill", "kill-all"]) { s in
        try await s("run", "-d", s.image, s.name, "sh", "-c", "sleep 1000 & sleep 1000 & wait").exits(0)
        try await s("task", "kill", "--all", "-s", "KILL", s.name).exits(0)
        try await s.until("STOPPED", "task", "ls")
        try await s("task", "rm", s.name, compared: false).exits(0).complains("exit code 137")
    },
    EngineCase("ctr task: metrics", on: on, proves: ["limits"]) { s in
        try await s("run", "-d", "--memory-limit", "67108864", s.image, s.name, "sleep", "1000").exits(0)
        let metrics = try await s("task", "metrics", s.name, compared: false).exits(0)
        try s.require(metrics.text.contains("memory"), "\(metrics.outcome)")
    },
    EngineCase("ctr task: removed by force", on: on, proves: ["delete", "kill"]) { s in
        try await s("run", "-d", s.image, s.name, "sleep", "1000").exits(0)
        try await s("task", "rm", "-f", s.name, compared: false)
        try await s("container", "rm", s.name).exits(0)
        let left = try await s.host("sh", "-c", "find /sys/fs/cgroup -name \"*$0*\"", s.name)
        try s.require(left.text.isEmpty, "left: \(left.outcome)")
    },
]
