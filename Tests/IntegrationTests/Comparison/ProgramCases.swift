import Foundation

extension ComparisonCase {
    /// Arguments, environment, working directory, descriptors.
    static let programs: [ComparisonCase] =
        created + [
            ComparisonCase("found in PATH") {
                $0.set("process.args", ["probe", "two words", "", "ünïcode\n"])
            },
            ComparisonCase("beneath the working directory") { $0.set("process.args", ["bin/probe"]) },
            ComparisonCase("in the working directory") { bundle in
                bundle.set("process.cwd", "/bin")
                bundle.set("process.args", ["./probe"])
            },
            ComparisonCase(
                "in the working directory, by PATH",
                .onlyOurs("execvp(3) looks there when PATH says so; Go does not")
            ) { bundle in
                bundle.set("process.cwd", "/bin")
                bundle.set("process.args", ["probe"])
                bundle.set("process.env", ["PATH=/nowhere:."])
            },
            ComparisonCase("behind a symlink") { bundle in
                try bundle.makeLink("program", to: "/bin/probe")
                bundle.set("process.args", ["/program"])
            },
            ComparisonCase("script") { bundle in
                try await bundle.makeProgram("script", "#!/bin/probe files=/etc\n")
                bundle.set("process.args", ["/script", "argument"])
            },
            ComparisonCase("no such program", .refused) { $0.set("process.args", ["/bin/nowhere"]) },
            ComparisonCase("not in PATH", .refused) { $0.set("process.args", ["nowhere"]) },
            ComparisonCase("not executable", .refused) { bundle in
                try bundle.makeFile("plain", "text")
                bundle.set("process.args", ["/plain"])
            },
            ComparisonCase("a directory", .refused) { $0.set("process.args", ["/bin"]) },
            ComparisonCase("no arguments", .refused) { $0.set("process.args", [String]()) },
            ComparisonCase("no PATH", .refused) { bundle in
                bundle.set("process.env", [String]())
                bundle.set("process.args", ["probe"])
            },
            ComparisonCase("not executable for the user", .refused) { bundle in
                try bundle.makeFile("roots", "#!/bin/probe\n", mode: 0o700)
                bundle.set("process.args", ["/roots"])
                bundle.set("process.user", ["uid": 1000, "gid": 1000])
            },

            ComparisonCase("environment") { bundle in
                bundle.set(
                    "process.env",
                    [
                        "PATH=/bin", "EMPTY=", "TWICE=1", "HOME=/somewhere", "TWICE=2", "SPACE= a b ",
                        "LINES=a\nb", "UMLAUT=ü", "A=b=c",
                    ])
            },
            ComparisonCase("environment: odd names") {
                $0.set("process.env", ["PATH=/bin", "a.b-c=1", " =2", "1=3"])
            },
            ComparisonCase(
                "environment: entry without =", .onlyOurs("execve(2) does not mind, and neither does crun")
            ) { $0.set("process.env", ["PATH=/bin", "NAME"]) },
            ComparisonCase("environment: empty HOME") { $0.set("process.env", ["PATH=/bin", "HOME="]) },
            ComparisonCase("environment: none") { $0.set("process.env", nil) },
            ComparisonCase("home of root and of a user, from passwd") { bundle in
                try bundle.makeFile(
                    "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:User:/home/user:/bin/sh\n")
                bundle.set("process.user", ["uid": 1000, "gid": 1000])
            },
            ComparisonCase("home: passwd with odd lines") { bundle in
                try bundle.makeFile(
                    "etc/passwd",
                    "# comment\n\nshort:x\n:x:0:0::/nobody:\nbad:x:zero:0::/bad:\nr:x:0:0::/first:\nr:x:0:0::/second:\n"
                )
            },
            ComparisonCase("home: passwd without a home") {
                try $0.makeFile("etc/passwd", "root:x:0:0:root::/bin/sh\n")
            },

            ComparisonCase("working directory that is missing") { $0.set("process.cwd", "/made/for/it") },
            ComparisonCase("working directory that is missing, for a user") { bundle in
                bundle.set("process.cwd", "/made/for/it")
                bundle.set("process.user", ["uid": 1000, "gid": 1000])
            },
            ComparisonCase("working directory behind a symlink") { bundle in
                try bundle.makeDirectory("real/place")
                try bundle.makeLink("link", to: "real")
                bundle.set("process.cwd", "/link/place")
            },
            ComparisonCase("working directory that only root may enter") { bundle in
                try bundle.makeDirectory("closed", mode: 0o700)
                bundle.set("process.cwd", "/closed")
                bundle.set("process.user", ["uid": 1000, "gid": 1000])
            },
            ComparisonCase("working directory is a file", .refused) { bundle in
                try bundle.makeFile("plain")
                bundle.set("process.cwd", "/plain")
            },
            ComparisonCase("relative working directory", .refused) { $0.set("process.cwd", "bin") },
            ComparisonCase("working directory with dots") { $0.set("process.cwd", "/bin/../tmp/.") },

            ComparisonCase("without a keyring of its own") { $0.flags = ["--no-new-keyring"] },
            ComparisonCase("preserved descriptors") { bundle in
                let file = open(try bundle.sourceFile(), O_RDWR | O_CLOEXEC)
                var ends: [Int32] = [0, 0]
                socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
                let (reading, writing) = (ends[0], ends[1])
                bundle.atEnd { for number in [file, reading, writing] { close(number) } }
                bundle.descriptors = [3: file, 4: writing, 7: file]
                bundle.flags = ["--preserve-fds", "2"]
            },
            ComparisonCase("descriptors that are not preserved") { bundle in
                let file = open(try bundle.sourceFile(), O_RDWR | O_CLOEXEC)
                bundle.atEnd { close(file) }
                bundle.descriptors = [3: file, 4: file, 9: file]
            },
            ComparisonCase("all of stdio is /dev/null") { bundle in
                let file = open(bundle.report, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
                bundle.atEnd { close(file) }
                bundle.stdout = "/dev/null"
                bundle.stderr = "/dev/null"
                bundle.descriptors = [3: file]
                bundle.flags = ["--preserve-fds", "1"]
                bundle.set("process.args", ["/bin/probe", "out=3"])
            },
            ComparisonCase("stdio of files and pipes, for a user") { bundle in
                bundle.stdin = bundle.directory + "/fifo"
                mkfifo(bundle.stdin, 0o600)
                let keptOpen = open(bundle.stdin, O_RDWR | O_CLOEXEC)
                bundle.atEnd { close(keptOpen) }
                bundle.set("process.user", ["uid": 1000, "gid": 1001])
            },
            ComparisonCase("stdio is /dev/null and the container has no /dev/null of its own") { bundle in
                bundle.set("mounts", [["destination": "/proc", "type": "proc", "source": "proc"]])
                bundle.set("linux.maskedPaths", nil)
            },
            ComparisonCase("caller ignores signals") { bundle in
                bundle.wrapper = ["/usr/bin/env", "--ignore-signal=HUP,INT,QUIT,PIPE,TERM,USR1,CHLD"]
            },
            ComparisonCase("caller has other attributes") { bundle in
                bundle.wrapper = ["/usr/bin/nice", "-n", "5", "/usr/bin/ionice", "-c", "2", "-n", "7"]
            },
            ComparisonCase("caller has a umask", alone: true) { bundle in
                bundle.wrapper = ["/bin/sh", "-c", "umask 077; exec \"$@\"", "sh"]
                bundle.mount("/made/below", "tmpfs", "tmpfs", [])
                bundle.mount("/made/file", "bind", try bundle.sourceFile(), ["bind"])
                bundle.set("process.cwd", "/made/cwd")
            },
            ComparisonCase("caller may open few files") { bundle in
                bundle.wrapper = ["/bin/sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"]
                bundle.set("process.rlimits", nil)
            },
        ]

    /// `create`, then `start`, as engines do it.
    private static let created: [ComparisonCase] = [
        ComparisonCase("created, then started") { $0.startsSeparately = true },
        ComparisonCase("created, then started, for a user, read-only") { bundle in
            bundle.startsSeparately = true
            bundle.set("process.user", ["uid": 1000, "gid": 1000])
            bundle.set("root.readonly", true)
        },
        ComparisonCase("created, then started, with preserved descriptors") { bundle in
            bundle.startsSeparately = true
            let file = open(try bundle.sourceFile(), O_RDONLY | O_CLOEXEC)
            bundle.atEnd { close(file) }
            bundle.descriptors = [3: file, 4: file, 8: file]
            bundle.flags = ["--preserve-fds", "2"]
        },
        ComparisonCase("created, then started, the program is missing", .refused) { bundle in
            bundle.startsSeparately = true
            bundle.set("process.args", ["/bin/nowhere"])
        },
    ]
}
