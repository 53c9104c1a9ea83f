extension JustifiedDifference {
    /// Those of an exec.
    static let execs: [JustifiedDifference] =
        [
            JustifiedDifference(
                section: "descriptors", cases: "exec",
                reason: "a null device is the container's, open for both; runc leaves an exec the host's"
            ) { line in
                line.hasPrefix("0: mode 20666 owner 0:0 flags 10000") && line.hasSuffix(" rdev 1:3")
                    ? "0: null device" : line
            },
            JustifiedDifference(
                section: "descriptors", cases: "exec stdio: foreground",
                reason: "the process has gantry's stdio; runc has pipes, and copies as long as it lives"
            ) { _ in nil },
            JustifiedDifference(
                section: "status", cases: "exec caller: blocked signals",
                reason:
                    "signals that a caller blocks would reach the process no more; runc leaves them blocked"
            ) { $0.hasPrefix("SigBlk:") ? nil : $0 },
            JustifiedDifference(
                section: "attributes", cases: "exec process: oomScoreAdj of the document",
                reason: "runc 1.1.5 takes the container's"
            ) { $0.hasPrefix("/proc/self/oom_score_adj:") ? nil : $0 },
        ]
        + [
            "in: each rlimit", "as a document: each rlimit",
        ].map { name in
            JustifiedDifference(
                section: "limits", cases: "exec " + name,
                reason: "Go's runtime raises its soft limit on open files, and runc 1.1.5 hands that on"
            ) { $0.hasPrefix("Max open files") ? nil : $0 }
        }
        + [
            "the least", "rlimits empty", "rlimits null", "rlimits of the container's process",
        ].map { name in
            JustifiedDifference(
                section: "limits", cases: "exec process: " + name,
                reason: "without limits of its own a process has the container's; runc leaves it its caller's"
            ) { $0.hasPrefix("Max open files") || $0.hasPrefix("Max core file size") ? nil : $0 }
        }
        + [
            "in: umask", "as a document: umask", "in: group 0", "as a document: group 0", "process: umask",
            "caller: a umask",
        ].map { name in
            JustifiedDifference(
                section: "status", cases: "exec " + name,
                reason:
                    "the umask is the document's or the container's; runc 1.1.5 leaves an exec its caller's"
            ) { $0.hasPrefix("Umask:") ? nil : $0 }
        }
}
