/// What the cgroup files say, from inside. The names differ between cgroup v1 and v2.
private func limit(_ legacy: String, _ unified: String) -> String {
    "cat /sys/fs/cgroup/\(legacy) 2>/dev/null || cat /sys/fs/cgroup/\(unified)"
}

/// Limits of resources.
let limitCases = [
    EngineCase("limit: memory", proves: ["limits"]) { s in
        try await s(
            "run", "--rm", "--memory", "64m", s.image, "sh", "-c",
            limit("memory/memory.limit_in_bytes", "memory.max")
        ).exits(0).prints("67108864\n")
    },
    EngineCase("limit: out of memory", proves: ["limits", "exit-codes"]) { s in
        try await s(
            "run", "--name", s.name, "--memory", "16m", "--memory-swap", "16m", s.image, "sh", "-c",
            "dd if=/dev/zero of=/dev/null bs=200M count=1", compared: false, seconds: 90
        ).exits(137)
        try await s("inspect", "-f", "{{.State.ExitCode}}", s.name).exits(0).prints("137\n")
    },
    EngineCase("limit: number of processes", proves: ["limits"]) { s in
        try await s(
            "run", "--rm", "--pids-limit", "20", s.image, "sh", "-c", limit("pids/pids.max", "pids.max")
        ).exits(0).prints("20\n")
        try await s(
            "run", "--rm", "--pids-limit", "4", s.image, "sh", "-c",
            "exec 2>/dev/null; for i in 1 2 3 4 5 6; do sleep 2 & done; wait; echo done", compared: false
        ).exits(2)
    },
    EngineCase("limit: processors", proves: ["limits"]) { s in
        try await s(
            "run", "--rm", "--cpus", "0.5", "--cpu-shares", "512", "--cpuset-cpus", "0", s.image, "sh", "-c",
            limit("cpu/cpu.cfs_quota_us", "cpu.max") + ";" + limit("cpu/cpu.shares", "cpu.weight") + ";"
                + limit("cpuset/cpuset.cpus", "cpuset.cpus")
        ).exits(0).prints(containing: "50000")
    },
    EngineCase("limit: open files", proves: ["limits"]) { s in
        try await s(
            "run", "--rm", "--ulimit", "nofile=77:99", "--ulimit", "nproc=1024:1024", s.image, "sh", "-c",
            "ulimit -n; ulimit -Hn"
        )
        .exits(0).prints("77\n99\n")
    },
    EngineCase("update: memory of a running container", proves: ["update"]) { s in
        try await s(
            "run", "-d", "--name", s.name, "--memory", "64m", s.image, "sleep", "1000", compared: false
        )
        .exits(0)
        try await s("update", "--memory", "48m", "--memory-swap", "96m", s.name, compared: false).exits(0)
        let file = limit("memory/memory.limit_in_bytes", "memory.max")
        try await s("exec", s.name, "sh", "-c", file).exits(0).prints("50331648\n")
        try await s("update", "--cpu-shares", "256", s.name, compared: false).exits(0)
        try await s("exec", s.name, "sh", "-c", limit("cpu/cpu.shares", "cpu.weight") + ";" + file).exits(0)
            .prints(containing: "50331648\n")
    },
    EngineCase("stats", proves: ["limits", "events"]) { s in
        try await s(
            "run", "-d", "--name", s.name, "--memory", "64m", s.image, "sleep", "1000", compared: false
        )
        .exits(0)
        let stats = try await s("stats", "--no-stream", s.name, compared: false).exits(0)
        try s.require(stats.text.contains("67.11MB") || stats.text.contains("64MiB"), stats.outcome.stdout)
    },
]
