/// A container that traps TERM, says so and exits with 3.
private let trapping = "trap 'echo ended; exit 3' TERM; echo ready; while :; do sleep 0.1; done"

/// A container's life in the background.
let lifecycleCases = [
    EngineCase("life: logs, stop, restart, rm", proves: ["create", "start", "kill", "delete", "exit-codes"]) {
        s in
        try await s("run", "-d", "--name", s.name, s.image, "sh", "-c", trapping, compared: false).exits(0)
        try await s.until("ready", "logs", s.name)
        try await s("stop", "-t", "30", s.name).exits(0)
        try await s("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", s.name).exits(0).prints(
            "exited 3\n")
        try await s("logs", s.name).exits(0).prints("ready\nended\n")
        try await s("start", s.name).exits(0)
        try await s.until("ready\nended\nready", "logs", s.name)
        try await s("restart", "-t", "30", s.name).exits(0)
        try await s.until("ended\nready\nended\nready", "logs", s.name)
        try await s("rm", s.name, compared: false)
        try await s("rm", "-f", s.name).exits(0)
        try await s("inspect", s.name).complains("uch")
    },
    EngineCase("life: a process that ignores TERM", proves: ["kill", "exit-codes"]) { s in
        try await s(
            "run", "-d", "--name", s.name, s.image, "sh", "-c",
            "trap '' TERM; echo ready; while :; do sleep 1; done",
            compared: false
        ).exits(0)
        try await s.until("ready", "logs", s.name)
        try await s("stop", "-t", "1", s.name, compared: false).exits(0)
        try await s("inspect", "-f", "{{.State.ExitCode}}", s.name).prints("137\n")
    },
    EngineCase("life: signals by name and number", proves: ["kill"]) { s in
        try await s(
            "run", "-d", "--name", s.name, s.image, "sh", "-c",
            "trap 'echo usr1' USR1; trap 'echo hup; exit 4' HUP; echo ready; while :; do sleep 0.1; done",
            compared: false
        ).exits(0)
        try await s.until("ready", "logs", s.name)
        try await s("kill", "-s", "USR1", s.name).exits(0)
        try await s.until("usr1", "logs", s.name)
        try await s("kill", "--signal", "1", s.name).exits(0)
        try await s("wait", s.name).exits(0).prints("4\n")
        try await s("logs", s.name).prints("ready\nusr1\nhup\n")
        try await s("kill", s.name, compared: false).exits(s.engine == .docker ? 1 : 125)
    },
    EngineCase("life: pause", proves: ["pause", "state"]) { s in
        try await s(
            "run", "-d", "--name", s.name, s.image, "sh", "-c",
            "while :; do date +%s%N >/tick; usleep 1000; done",
            compared: false
        ).exits(0)
        try await s("pause", s.name).exits(0)
        try await s("inspect", "-f", "{{.State.Status}}", s.name).prints("paused\n")
        try await s("exec", s.name, "true").complains(s.engine == .docker ? "paused" : "state improper")
        try await s("pause", s.name)
        try await s("unpause", s.name).exits(0)
        try await s(
            "exec", s.name, "sh", "-c", "a=$(cat /tick); while [ \"$a\" = \"$(cat /tick)\" ]; do :; done"
        )
        .exits(0)
        try await s("unpause", s.name)
    },
    EngineCase("life: removed while paused", proves: ["pause", "delete", "kill"]) { s in
        try await s("run", "-d", "--name", s.name, s.image, "sleep", "1000", compared: false).exits(0)
        try await s("pause", s.name).exits(0)
        try await s("rm", "-f", "-t", "1", s.name, compared: false)
        try await s("rm", "-f", s.name, compared: false)
        let left = try await s("ps", "-a", "--filter", "name=" + s.name, "--format", "{{.Status}}")
        try s.require(left.text.isEmpty, "\(left.outcome)")
    },
    EngineCase("life: its processes", proves: ["ps"]) { s in
        try await s(
            "run", "-d", "--name", s.name, s.image, "sh", "-c", "sleep 1001 & sleep 1002 & wait",
            compared: false
        ).exits(0)
        let top = try await s.until("1002", "top", s.name)
        try s.require(top.text.contains("sleep 1001"), "\(top.outcome)")
        try s.require(top.text.split(separator: "\n").count == 4, "\(top.outcome)")
    },
    EngineCase("life: restart policy", proves: ["create", "delete", "exit-codes"]) { s in
        try await s(
            "run", "-d", "--name", s.name, "--restart", "on-failure:2", s.image, "sh", "-c",
            "echo once; exit 6",
            compared: false
        ).exits(0)
        try await s.until("once\nonce\nonce\n", "logs", s.name)
        try await s.until(
            "exited 6 2", "inspect", "-f", "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}", s.name)
    },
    EngineCase("life: orphans end with it", proves: ["kill-all", "delete"]) { s in
        try await s(
            "run", "-d", "--name", s.name, "--pid", "host", s.image, "sh", "-c",
            "sleep 123456 & sleep 123456 & echo ready; wait", compared: false
        ).exits(0)
        try await s.until("ready", "logs", s.name)
        try await s("rm", "-f", "-t", "0", s.name, compared: false)
        try await s("rm", "-f", s.name, compared: false)
        let left = try await s.host("pgrep", "-f", "sleep 123456")
        try s.require(left.text.isEmpty, "left: \(left.outcome)")
    },
    EngineCase("life: committed while it runs", proves: ["pause"]) { s in
        try await s(
            "run", "-d", "--name", s.name, s.image, "sh", "-c", "echo mine >/mine; sleep 1000",
            compared: false
        ).exits(0)
        try await s.until("mine", "exec", s.name, "cat", "/mine")
        try await s("commit", "--pause=true", s.name, "image-" + s.name, compared: false).exits(0)
        try await s("run", "--rm", "image-" + s.name, "cat", "/mine").exits(0).prints("mine\n")
    },
    EngineCase("life: attached and waited for", proves: ["stdio"]) { s in
        try await s("create", "-i", "--name", s.name, s.image, "cat", compared: false).exits(0)
        try await s("start", "-a", "-i", s.name, stdin: "through\n").exits(0).prints("through\n")
        try await s("wait", s.name).prints("0\n")
    },
]
