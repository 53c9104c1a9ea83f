/// Who the process is, and what it may do.
private let credentials = "grep -E '^(Uid|Gid|Groups|Cap[A-Z][a-z]*|NoNewPrivs|Seccomp):' /proc/self/status"

let identityCases = [
    EngineCase("user: numbers", proves: ["identity"]) { s in
        try await s("run", "--rm", "-u", "1000:1000", s.image, "sh", "-c", "id; " + credentials)
            .exits(0).prints(containing: "uid=1000(user) gid=1000(user)")
    },
    EngineCase("user: a name, and its groups", proves: ["identity"]) { s in
        try await s("run", "--rm", "-u", "user", s.image, "sh", "-c", "id; echo ~").exits(0)
            .prints(containing: "50(staff)").prints(containing: "/home/user")
    },
    EngineCase("user: more groups", proves: ["identity"]) { s in
        try await s("run", "--rm", "-u", "1000", "--group-add", "77", s.image, "id", "-G").exits(0)
            .prints(containing: "77")
    },
    EngineCase("capabilities and seccomp by default", proves: ["security"]) { s in
        try await s("run", "--rm", s.image, "sh", "-c", credentials).exits(0).prints(
            containing: "Seccomp:\t2")
    },
    EngineCase("capabilities: dropped and added", proves: ["security"]) { s in
        try await s(
            "run", "--rm", "--cap-drop", "ALL", "--cap-add", "CHOWN", s.image, "sh", "-c", credentials
        )
        .exits(0).prints(containing: "CapEff:\t0000000000000001")
    },
    EngineCase("security options", proves: ["security"]) { s in
        try await s(
            "run", "--rm", "--security-opt", "no-new-privileges", "--security-opt", "seccomp=unconfined",
            s.image,
            "sh", "-c", credentials
        ).exits(0).prints(containing: "NoNewPrivs:\t1").prints(containing: "Seccomp:\t0")
    },
    EngineCase("sysctl", proves: ["namespaces"]) { s in
        try await s(
            "run", "--rm", "--sysctl", "net.ipv4.ip_default_ttl=42", s.image, "cat",
            "/proc/sys/net/ipv4/ip_default_ttl"
        ).exits(0).prints("42\n")
    },
    EngineCase("masked and read-only files", proves: ["security"]) { s in
        try await s(
            "run", "--rm", s.image, "sh", "-c",
            "wc -c </proc/kcore; ls /proc/scsi /sys/firmware; echo 1 >/proc/sysrq-trigger; touch /proc/sys/x"
        ).exits(1)
    },
]
