import Foundation

extension ComparisonCase {
    private static let sets = ["bounding", "effective", "permitted", "inheritable", "ambient"]
    private static let few = ["CAP_CHOWN", "CAP_NET_RAW", "CAP_SETUID", "CAP_SYS_ADMIN"]

    /// Capabilities, users and privileges.
    static let identities: [ComparisonCase] =
        sets.map { set in
            ComparisonCase(
                "capabilities: only \(set)", set == "effective" || set == "inheritable" ? .refused : .same
            ) { bundle in
                bundle.set("process.capabilities", [set: few])
            }
        }
        + sets.map { set in
            ComparisonCase(
                "capabilities: all but \(set), for a user",
                set == "bounding" || set == "permitted" ? .refused : .same
            ) { bundle in
                bundle.set(
                    "process.capabilities",
                    Dictionary(uniqueKeysWithValues: sets.map { ($0, $0 == set ? [] : few) }))
                bundle.set("process.user", ["uid": 1000, "gid": 1000])
            }
        }
        + [0, 1000].map { uid in
            ComparisonCase("capabilities: all sets, uid \(uid)") { bundle in
                bundle.set("process.capabilities", Dictionary(uniqueKeysWithValues: sets.map { ($0, few) }))
                bundle.set("process.user", ["uid": uid, "gid": uid])
            }
        }
        + [0, 1000].map { uid in
            ComparisonCase("no capabilities property, uid \(uid)") { bundle in
                bundle.set("process.capabilities", nil)
                bundle.set("process.user", ["uid": uid, "gid": uid])
            }
        } + [
            ComparisonCase("capabilities: none") { $0.set("process.capabilities", [String: Any]()) },
            ComparisonCase("capabilities: more effective than permitted", .refused) { bundle in
                bundle.set(
                    "process.capabilities", ["bounding": few, "effective": few, "permitted": ["CAP_CHOWN"]])
            },
            ComparisonCase("capabilities: one that does not exist") { bundle in
                bundle.append("process.capabilities.bounding", "CAP_NONESUCH")
                bundle.append("process.capabilities.effective", "CAP_NONESUCH")
            },
            ComparisonCase("capabilities may be gained") { $0.set("process.noNewPrivileges", false) },
            ComparisonCase("user without a name") { bundle in
                bundle.set("process.user", ["uid": 4_000_000, "gid": 4_000_001])
                bundle.set("process.noNewPrivileges", false)
            },
            ComparisonCase("additional groups") { bundle in
                bundle.set("process.user", ["uid": 1000, "gid": 1001, "additionalGids": [5, 2000, 3000, 0]])
            },
            ComparisonCase("group 0 of a user, file mode mask") { bundle in
                bundle.set("process.user", ["uid": 1000, "gid": 0, "umask": 0o077])
            },
            ComparisonCase("umask 0") { $0.set("process.user", ["uid": 0, "gid": 0, "umask": 0]) },
            ComparisonCase("highest user") { bundle in
                bundle.set("process.user", ["uid": 2_147_483_647, "gid": 2_147_483_647])
            },
        ] + seccomp

    private static let seccomp: [ComparisonCase] =
        [true, false].flatMap { noNewPrivileges in
            [0, 1000].map { uid in
                ComparisonCase("docker's filter, uid \(uid), noNewPrivileges \(noNewPrivileges)") { bundle in
                    bundle.set("linux.seccomp", try dockersFilter())
                    bundle.set("process.noNewPrivileges", noNewPrivileges)
                    bundle.set("process.user", ["uid": uid, "gid": uid])
                }
            }
        } + [
            ComparisonCase("filter with an errno") { bundle in
                bundle.set(
                    "linux.seccomp",
                    [
                        "defaultAction": "SCMP_ACT_ALLOW",
                        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
                        "syscalls": [
                            ["names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95],
                            ["names": ["ioprio_get", "no_such_call"], "action": "SCMP_ACT_ERRNO"],
                        ],
                    ] as [String: Any])
            },
            ComparisonCase("filter with flags", .onlyOurs("runc 1.1.5 knows no flags")) { bundle in
                bundle.set(
                    "linux.seccomp",
                    [
                        "defaultAction": "SCMP_ACT_ALLOW",
                        "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
                        "syscalls": [["names": ["keyctl"], "action": "SCMP_ACT_ERRNO"]],
                    ] as [String: Any])
            },
            ComparisonCase("filter with an unknown action", .refused) { bundle in
                bundle.set("linux.seccomp", ["defaultAction": "SCMP_ACT_NONESUCH"])
            },
        ]

    private static func dockersFilter() throws -> Any? {
        let path = Machine.repository + "/Tests/Fixtures/configs/docker-default.json"
        let config =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path))) as? [String: Any]
        return config?.value(["linux", "seccomp"])
    }

    /// What a process without CAP_SYS_RESOURCE may still set; what is not named may be 4 GiB.
    private static let hardLimits = [
        "NICE": 0, "RTPRIO": 0, "MSGQUEUE": 800_000, "NOFILE": 1000, "MEMLOCK": 65536, "NPROC": 5000,
        "SIGPENDING": 5000,
    ]

    /// Limits, names, kernel parameters, personality.
    static let attributes: [ComparisonCase] = [
        ComparisonCase("each rlimit") { bundle in
            let types = [
                "AS", "CORE", "CPU", "DATA", "FSIZE", "LOCKS", "MEMLOCK", "MSGQUEUE", "NICE", "NOFILE",
                "NPROC", "RSS",
                "RTPRIO", "RTTIME", "SIGPENDING", "STACK",
            ]
            bundle.set(
                "process.rlimits",
                types.map { type in
                    let hard = hardLimits[type] ?? 1 << 32
                    return ["type": "RLIMIT_" + type, "soft": hard / 2, "hard": hard]
                })
        },
        ComparisonCase("no rlimits") { $0.set("process.rlimits", nil) },
        ComparisonCase("very few open files", .onlyOurs("runc needs more than three for its own end")) {
            bundle in
            bundle.set("process.rlimits", [["type": "RLIMIT_NOFILE", "soft": 3, "hard": 3]])
        },
        ComparisonCase("the same rlimit twice", .onlyPeer("is given twice", "config.md: must be an error")) {
            bundle in
            let limit: [String: Any] = ["type": "RLIMIT_CORE", "soft": 0, "hard": 0]
            bundle.set("process.rlimits", [limit, limit])
        },
        ComparisonCase("unknown rlimit", .refused) { bundle in
            bundle.set("process.rlimits", [["type": "RLIMIT_NONESUCH", "soft": 0, "hard": 0]])
        },
        ComparisonCase("oomScoreAdj 0") { $0.set("process.oomScoreAdj", 0) },
        ComparisonCase("oomScoreAdj 1000") { $0.set("process.oomScoreAdj", 1000) },
        ComparisonCase("oomScoreAdj out of range", .refused) { $0.set("process.oomScoreAdj", 1001) },
        ComparisonCase("kernel parameters") { bundle in
            bundle.set(
                "linux.sysctl",
                [
                    "kernel.msgmax": "65000", "kernel.sem": "250 32000 32 200", "kernel.shm_rmid_forced": "1",
                    "fs.mqueue.msg_max": "20", "net.ipv4.ip_forward": "1",
                    "net.ipv4.ping_group_range": "0 1000",
                    "net.ipv4.ip_unprivileged_port_start": "80", "net.ipv4.conf.lo.forwarding": "1",
                    "net/core/somaxconn": "100", "kernel.domainname": "example.org",
                ])
        },
        ComparisonCase("kernel parameter of the whole host", .refused) {
            $0.set("linux.sysctl", ["vm.swappiness": "1"])
        },
        ComparisonCase("net parameter of the host's network", .refused) { bundle in
            bundle.removeNamespaces("network")
            bundle.set("linux.sysctl", ["net.ipv4.ip_forward": "1"])
        },
        ComparisonCase("kernel parameter with a bad value", .refused) {
            $0.set("linux.sysctl", ["kernel.msgmax": "many"])
        },
        ComparisonCase("hostname of 64 bytes") { $0.set("hostname", String(repeating: "h", count: 64)) },
        ComparisonCase("hostname of 65 bytes", .refused) {
            $0.set("hostname", String(repeating: "h", count: 65))
        },
        ComparisonCase("no hostname") { $0.set("hostname", nil) },
        ComparisonCase("domainname", alone: true) { $0.set("domainname", "example.org") },
        ComparisonCase("personality LINUX32") { $0.set("linux.personality", ["domain": "LINUX32"]) },
        ComparisonCase("personality LINUX") { $0.set("linux.personality", ["domain": "LINUX"]) },
        ComparisonCase("unknown personality", .onlyPeer("unknown value", "runc 1.1.5 knows no personality")) {
            $0.set("linux.personality", ["domain": "BSD"])
        },
    ]
}
