import Foundation

extension ComparisonCase {
    /// Behind them stands the name of a case about containers.
    static let execPrefixes = ["exec in: ", "exec as a document: "]

    /// Containers that differ, and the same exec in each: what it takes from the container.
    static let execContainers: [ComparisonCase] =
        (namespaces + identities + attributes).compactMap { container in
            guard case .same = container.expectation else { return nil }
            return exec("in: " + container.name) { bundle, _ in try await container.configure(bundle) }
        }

    /// The same containers with their own process as a document, as engines make it.
    static let execDocuments: [ComparisonCase] =
        (identities + attributes).compactMap { container in
            guard case .same = container.expectation else { return nil }
            return exec("as a document: " + container.name) { bundle, step in
                try await container.configure(bundle)
                step.document = document(bundle, [:])
            }
        }

    /// What the command line says of the process.
    static let execFlags: [ComparisonCase] = [
        flags("no flags"),
        flags("user", "--user", "1000"),
        flags("user and group", "--user", "1000:1001"),
        flags("user of a user's container", "--user", "0:0", container: plainUser),
        flags("group 0 of another user", "-u", "4000000:0"),
        flags("additional groups", "--additional-gids", "5", "--additional-gids", "2000"),
        flags(
            "additional groups besides the container's", "--additional-gids", "9",
            container: { $0.set("process.user", ["uid": 1000, "gid": 1000, "additionalGids": [7, 8]]) }),
        flags("working directory", "--cwd", "/tmp"),
        flags("environment", "--env", "A=1", "--env", "B=", "--env", "C=x=y"),
        exec("flags: environment without =", .onlyOurs("runc refuses it; it must only not be the host's")) {
            _, step in step.flags = ["--env", "PATH_OF_NOBODY"]
        },
        flags("environment that replaces", "-e", "PATH=/nowhere:/bin", "-e", "TERM=other"),
        flags("HOME given", "-e", "HOME=/elsewhere"),
        flags("HOME empty", "-e", "HOME="),
        flags("HOME of another user", "--user", "1000", container: withPasswd),
        flags("one capability more", "--cap", "CAP_SYS_TIME"),
        flags("capabilities more", "--cap", "CAP_SYS_TIME", "--cap", "CAP_NET_ADMIN"),
        flags("capability more for a user", "--cap", "CAP_SYS_TIME", "--user", "1000"),
        flags(
            "capability more where there were none", "--cap", "CAP_KILL",
            container: { $0.set("process.capabilities", [String: Any]()) }),
        flags(
            "no-new-privs", "--no-new-privs",
            container: { $0.set("process.noNewPrivileges", false) }),
        flags("without no-new-privs", container: { $0.set("process.noNewPrivileges", false) }),
        flags("no-new-privs of the container's, with a user", "--user", "7"),
        exec("found in PATH") { _, step in step.args = ["probe"] },
        exec("arguments") { _, step in step.args = ["probe", "", "a b", "--flag", "--", "é\n"] },
        exec("behind two dashes", .onlyOurs("runc 1.1.5 takes them for the program")) { _, step in
            step.args = ["--", "/bin/probe", "x"]
        },
        exec("no tty where the container's process has none") { _, step in step.flags = ["--tty=false"] },
        exec("create, not started") { bundle, step in
            bundle.startsSeparately = true
            step.isBeforeStart = true
        },
        exec("create, then start") { bundle, _ in bundle.startsSeparately = true },
        exec("no new keyring") { bundle, _ in bundle.flags = ["--no-new-keyring"] },
        exec("the keyring for a user") { _, step in step.flags = ["--user", "1000"] },
        exec("no pivot") { bundle, _ in bundle.flags = ["--no-pivot"] },
        exec("pid file") { bundle, step in step.flags = ["--pid-file", bundle.directory + "/pid"] },
    ]

    /// What comes to an exec from its caller.
    static let execCallers: [ComparisonCase] = [
        exec("descriptors preserved") { bundle, step in
            let file = open("/dev/zero", O_RDONLY | O_CLOEXEC)
            bundle.atEnd { close(file) }
            bundle.descriptors = [3: file, 4: file, 5: file]
            step.flags = ["--preserve-fds", "2"]
        },
        exec("descriptors left open") { bundle, _ in
            let file = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            bundle.atEnd { close(file) }
            bundle.descriptors = Dictionary(uniqueKeysWithValues: (3...30).map { (Int32($0), file) })
        },
        caller("ignored signals", ["/usr/bin/env", "--ignore-signal=TERM,INT,HUP,USR1,PIPE,CHLD"]),
        caller("blocked signals", ["/usr/bin/env", "--block-signal=TERM,USR1,CHLD"]),
        caller("a umask", ["/bin/sh", "-c", "umask 077; exec \"$@\"", "sh"]),
        caller("groups", ["/usr/bin/setpriv", "--groups", "10,20,30"]),
        caller("a nice value", ["/usr/bin/nice", "-n", "5"]),
        caller("limits", ["/bin/sh", "-c", "ulimit -c 0; ulimit -S -s 4096; exec \"$@\"", "sh"]),
        caller("few open files", ["/bin/sh", "-c", "ulimit -S -n 64; exec \"$@\"", "sh"]),
        caller("a session of its own", ["/usr/bin/setsid", "--wait"]),
        caller("capabilities in all sets", capable),
        caller("no environment", ["/usr/bin/env", "-i"]),
        caller("another working directory", ["/usr/bin/env", "-C", "/var"]),
        caller("an oom score", ["/usr/bin/choom", "-n", "300", "--"]),
        exec("stdio: foreground") { _, step in step.isDetached = false },
        exec("stdio: foreground, for a user") { _, step in
            step.isDetached = false
            step.flags = ["--user", "1000"]
        },
        exec("standard input from a file") { bundle, _ in bundle.stdin = try bundle.sourceFile() },
    ]

    /// What `--process` says, and what it leaves out.
    static let execProcesses: [ComparisonCase] = [
        process("the least", { _ in ["args": ["/bin/probe"], "cwd": "/"] }),
        process("capabilities null", ["capabilities": NSNull()]),
        process("capabilities empty", ["capabilities": [String: Any]()]),
        process("capabilities others", ["capabilities": sets(["CAP_CHOWN", "CAP_NET_RAW"])]),
        process(
            "capabilities others, user",
            ["capabilities": sets(["CAP_CHOWN"]), "user": ["uid": 1000, "gid": 1000]]),
        process("rlimits empty", ["rlimits": [Any]()]),
        process("rlimits null", ["rlimits": NSNull()]),
        process("rlimits others", ["rlimits": [["type": "RLIMIT_CORE", "soft": 1, "hard": 2]]]),
        process("few open files", ["rlimits": [["type": "RLIMIT_NOFILE", "soft": 64, "hard": 64]]]),
        process("few processes", ["rlimits": [["type": "RLIMIT_NPROC", "soft": 1, "hard": 1]]]),
        process(
            "few processes of a user",
            [
                "rlimits": [["type": "RLIMIT_NPROC", "soft": 1, "hard": 1]],
                "user": ["uid": 1000, "gid": 1000],
            ]),
        process("environment left out", ["env": NSNull()]),
        process("environment empty", ["env": [Any]()]),
        process("environment others", ["env": ["PATH=/bin", "A=1", "A=2", "B="]], args: ["probe"]),
        process("user left out", ["user": NSNull()]),
        process("user with groups", ["user": ["uid": 5, "gid": 6, "additionalGids": [7, 8, 0]]]),
        process("working directory", ["cwd": "/tmp"]),
        process("may gain privileges", ["noNewPrivileges": false]),
        process("may not gain privileges", ["noNewPrivileges": true]),
        process("noNewPrivileges left out", ["noNewPrivileges": NSNull()]),
        process("umask of the document", ["user": ["uid": 0, "gid": 0, "umask": 0o027]]),
        process("oomScoreAdj of the document", ["oomScoreAdj": 400]),
        exec("process: umask of the container's process") { bundle, step in
            bundle.set("process.user", ["uid": 0, "gid": 0, "umask": 0o077])
            step.document = document(bundle, ["user": ["uid": 3, "gid": 4]])
        },
        exec("process: oomScoreAdj of the container's process") { bundle, step in
            bundle.set("process.oomScoreAdj", 250)
            step.document = document(bundle, ["oomScoreAdj": NSNull()])
        },
        exec("process: rlimits of the container's process") { bundle, step in
            bundle.set("process.rlimits", [["type": "RLIMIT_CORE", "soft": 3, "hard": 4]])
            step.document = document(bundle, ["rlimits": NSNull()])
        },
        exec("process: capabilities of the container's process") { bundle, step in
            bundle.set("process.capabilities", sets(["CAP_CHOWN", "CAP_KILL"]))
            step.document = document(bundle, ["capabilities": NSNull()])
        },
    ]

    /// Cgroups below the container's.
    static let execCgroups: [ComparisonCase] = [
        cgroup("one for all", "inner", flags: ["inner"]),
        // Version 2 has one hierarchy for all.
        cgroup("of one controller", "inner", flags: ["memory:inner"], Host.isUnified ? .refused : .same),
        cgroup(
            "of several controllers", "inner", flags: ["memory:inner", "pids:inner"],
            Host.isUnified ? .refused : .same),
        cgroup("nested", "one/two", flags: ["one/two"]),
        cgroup("one that is missing", "", flags: ["missing"], .refused),
        cgroup("one that climbs", "", flags: ["../"], .refused),
    ]

    // MARK: Making them

    /// - Parameter configure: changes the container and the exec.
    private static func exec(
        _ name: String, _ expectation: Expectation = .same,
        _ configure: @escaping @Sendable (ComparisonBundle, inout ExecStep) async throws -> Void
    ) -> ComparisonCase {
        ComparisonCase("exec " + name, expectation, alone: true) { bundle in
            var step = ExecStep()
            try await configure(bundle, &step)
            bundle.exec = step
        }
    }

    private static func flags(
        _ name: String, _ flags: String...,
        container: (@Sendable (ComparisonBundle) throws -> Void)? = nil
    ) -> ComparisonCase {
        exec("flags: " + name) { bundle, step in
            try container?(bundle)
            step.flags = flags
        }
    }

    private static func caller(_ name: String, _ wrapper: [String]) -> ComparisonCase {
        exec("caller: " + name) { bundle, _ in bundle.wrapper = wrapper }
    }

    private static func process(
        _ name: String, _ changes: @escaping @Sendable @autoclosure () -> [String: Any],
        args: [String] = ["/bin/probe"]
    ) -> ComparisonCase {
        exec("process: " + name) { bundle, step in
            step.document = document(bundle, changes(), args: args)
        }
    }

    private static func process(
        _ name: String, _ whole: @escaping @Sendable (ComparisonBundle) -> [String: Any]
    ) -> ComparisonCase {
        exec("process: " + name) { bundle, step in step.document = whole(bundle) }
    }

    /// The container's own process with some properties changed; null removes one.
    private static func document(
        _ bundle: ComparisonBundle, _ changes: [String: Any], args: [String] = ["/bin/probe"]
    ) -> [String: Any] {
        var process = bundle.value("process") as? [String: Any] ?? [:]
        process["args"] = args
        for (name, value) in changes { process[name] = value is NSNull ? nil : value }
        return process
    }

    private static func cgroup(
        _ name: String, _ path: String, flags: [String],
        _ expectation: Expectation = .same
    ) -> ComparisonCase {
        exec("cgroup: " + name, expectation) { bundle, step in
            step.flags = flags.flatMap { ["--cgroup", $0] }
            step.prepare = { bundle in
                var made: [String] = []
                // A container that systemd has made one for has a scope.
                for directory in Host.cgroups(of: bundle.id)
                where directory.hasSuffix(bundle.id) || directory.hasSuffix(bundle.id + ".scope") {
                    made += try makeCgroups(path, in: directory)
                }
                let paths = made
                // Those that are left: a runtime need not know of them.
                bundle.atEnd { for path in paths.reversed() { rmdir(path) } }
            }
        }
    }

    /// A cpuset takes no process before it has been given processors and memory.
    private static func makeCgroups(_ path: String, in parent: String) throws -> [String] {
        var directory = parent
        return try path.split(separator: "/").map { name in
            let settings = ["cpuset.cpus", "cpuset.mems"].map {
                ($0, try? String(contentsOfFile: directory + "/" + $0, encoding: .utf8))
            }
            directory += "/" + name
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            for case (let file, let text?) in settings
            where !text.isEmpty && FileManager.default.fileExists(atPath: directory + "/" + file) {
                try text.write(toFile: directory + "/" + file, atomically: false, encoding: .utf8)
            }
            return directory
        }
    }

    @Sendable private static func plainUser(_ bundle: ComparisonBundle) {
        bundle.set("process.user", ["uid": 1000, "gid": 1000])
    }

    @Sendable private static func withPasswd(_ bundle: ComparisonBundle) throws {
        try bundle.makeFile("etc/passwd", "root:x:0:0::/root:\nuser:x:1000:1000::/home/user:/bin/sh\n")
    }

    private static func sets(_ names: [String]) -> [String: Any] {
        Dictionary(
            uniqueKeysWithValues: ["bounding", "effective", "permitted", "inheritable", "ambient"].map {
                ($0, names)
            })
    }

    private static let capable: [String] = {
        let names = "+chown,+kill,+net_bind_service,+sys_admin,+sys_ptrace,+setuid"
        return ["/usr/bin/setpriv", "--inh-caps", names, "--ambient-caps", names]
    }()
}
