import CCapability
import Diagnostics
import Foundation
import OCI
import Testing

@testable import Plan

/// The top of a configuration, its process and its limits.
@Suite struct ValidatorTests {
    @Test func aValidConfigurationPasses() {
        #expect(objection { _ in } == nil)
        #expect(Validator.warnings(validSpec()) == [])
    }

    @Test(arguments: [
        "1.0.0", "1.0.2-dev", "1.3.0", "1.99.0", "1.1.0-rc.1+dirty.5", "1.0.0+2026", "1.0.0-0a.x-y",
    ])
    func goodVersions(_ version: String) {
        #expect(objection { $0.ociVersion = version } == nil)
    }

    @Test(arguments: [
        "1", "1.0", "1.0.0.0", "v1.0.0", "1.0.x", "1.0.-1", "01.0.0", "1.0.0-", "1.0.0+", "1.0.0-a..b",
        " 1.0.0", "1..0",
        "1.0.0-é", "99999999999999999999.0.0", "latest",
    ])
    func malformedVersions(_ version: String) {
        #expect(
            objection { $0.ociVersion = version }
                == "ociVersion: \(version.debugDescription) is not a version such as 1.3.0")
    }

    @Test func otherVersions() {
        #expect(objection { $0.ociVersion = "" } == "ociVersion: is required")
        for version in ["0.5.0", "2.0.0"] {
            #expect(
                objection { $0.ociVersion = version }
                    == "ociVersion: version \(version) is not supported; supported are 1.0.0 and later 1.x")
        }
        var newer = validSpec()
        newer.ociVersion = "1.4.0"
        #expect(
            Validator.warnings(newer) == ["ociVersion: 1.4.0 is newer than 1.3; what it added is ignored"])
    }

    @Test func whatIsRequired() {
        #expect(objection { $0.root = nil } == "root: is required")
        #expect(objection { $0.root?.path = "" } == "root.path: must not be empty")
        #expect(objection { $0.process = nil } == "process: is required")
        #expect(objection { $0.linux = nil } == nil)
    }

    @Test func processBasics() {
        #expect(processObjection { $0.args = [] } == "process.args: must not be empty")
        #expect(processObjection { $0.args = ["", "x"] } == "process.args[0]: must not be empty")
        #expect(processObjection { $0.args = ["x", ""] } == nil)
        #expect(processObjection { $0.cwd = "" } == "process.cwd: must not be empty")
        #expect(processObjection { $0.cwd = "tmp" } == "process.cwd: must be an absolute path")
        #expect(processObjection { $0.env = ["A=1", "NOVALUE", "B="] } == nil)
        #expect(processObjection { $0.env = ["A=1", ""] } == "process.env[1]: must not be empty")
        #expect(processObjection { $0.env = ["=1"] } == "process.env[0]: \"=1\" has no name before the =")
        #expect(processObjection { $0.oomScoreAdj = -1000 } == nil)
        #expect(
            processObjection { $0.oomScoreAdj = 1001 }
                == "process.oomScoreAdj: must be from -1000 to 1000, is 1001")
        // Without a terminal its size has no meaning.
        #expect(processObjection { $0.consoleSize = .init(height: 5, width: 70000) } == nil)
        for size in [Spec.Process.ConsoleSize(height: 65536, width: 80), .init(height: 65536, width: 65536)] {
            #expect(
                processObjection { ($0.terminal, $0.consoleSize) = (true, size) }
                    == "process.consoleSize.height: must be at most 65535, is 65536")
        }
    }

    @Test func user() {
        #expect(processObjection { $0.user = .init(uid: .max - 1, gid: .max - 1, umask: 0o777) } == nil)
        #expect(processObjection { $0.user.uid = .max } == "process.user.uid: must be less than 4294967295")
        #expect(processObjection { $0.user.gid = .max } == "process.user.gid: must be less than 4294967295")
        #expect(
            processObjection { $0.user.additionalGids = [1, .max] }
                == "process.user.additionalGids[1]: must be less than 4294967295")
        #expect(
            processObjection { $0.user.umask = 0o1000 }
                == "process.user.umask: must be at most 0777 (511), is 512")
    }

    @Test func capabilities() {
        func sets(_ change: (inout Spec.Process.Capabilities) -> Void) -> String? {
            processObjection {
                var sets = Spec.Process.Capabilities()
                change(&sets)
                $0.capabilities = sets
            }
        }
        #expect(sets { $0.bounding = ["CAP_KILL", "CAP_KILL"] } == nil)
        #expect(
            sets {
                $0.permitted = ["CAP_CHOWN"]
                $0.effective = ["CAP_CHOWN", "CAP_BPF"]
            } == "process.capabilities.effective[1]: CAP_BPF is not in the permitted set")
        #expect(
            sets {
                $0.permitted = ["CAP_CHOWN"]
                $0.effective = ["CAP_FOO", "CAP_BPF"]
            } == "process.capabilities.effective[1]: CAP_BPF is not in the permitted set")
        #expect(sets { $0.ambient = ["CAP_KILL"] } == nil)
    }

    /// config.md: what is not known MUST be told as a warning, and SHOULD NOT be an error.
    @Test func unknownCapabilities() {
        for name in ["CAP_FOO", "cap_kill", "KILL", "CAP_", "", "CAP_KILL ", "CAP_\u{212A}ILL"] {
            var spec = validSpec()
            var sets = Spec.Process.Capabilities()
            (sets.bounding, sets.effective) = (["CAP_KILL", name], [name])
            spec.process?.capabilities = sets
            let problem = "unknown capability \(name.debugDescription), ignored"
            #expect(objection { $0.process = spec.process } == nil)
            #expect(
                Validator.warnings(spec) == [
                    "process.capabilities.bounding[1]: " + problem,
                    "process.capabilities.effective[0]: " + problem,
                ])
        }
    }

    /// libcap and the C library know the numbers.
    @Test func tablesOfNumbers() {
        for (number, name) in NameTable.capabilities.names.enumerated() {
            var value: cap_value_t = -1
            #expect(cap_from_name("cap_\("\(name)".lowercased())", &value) == 0)
            #expect(value == number)
            #expect(NameTable.capabilities.number(of: "CAP_\(name)") == number)
        }
        #expect(NameTable.capabilities.names.count == Int(CAP_LAST_CAP) + 1)
        let limits: [(String, __rlimit_resource)] = [
            ("CPU", RLIMIT_CPU), ("FSIZE", RLIMIT_FSIZE), ("DATA", RLIMIT_DATA), ("STACK", RLIMIT_STACK),
            ("CORE", RLIMIT_CORE), ("RSS", __RLIMIT_RSS), ("NPROC", __RLIMIT_NPROC),
            ("NOFILE", RLIMIT_NOFILE),
            ("MEMLOCK", __RLIMIT_MEMLOCK), ("AS", RLIMIT_AS), ("LOCKS", __RLIMIT_LOCKS),
            ("SIGPENDING", __RLIMIT_SIGPENDING), ("MSGQUEUE", __RLIMIT_MSGQUEUE), ("NICE", __RLIMIT_NICE),
            ("RTPRIO", __RLIMIT_RTPRIO), ("RTTIME", __RLIMIT_RTTIME),
        ]
        #expect(NameTable.rlimits.names.count == limits.count)
        for (name, number) in limits {
            #expect(NameTable.rlimits.number(of: "RLIMIT_" + name) == Int(number.rawValue))
        }
    }

    @Test func rlimits() {
        #expect(processObjection { $0.rlimits = [.init(type: "RLIMIT_CORE", soft: 0, hard: .max)] } == nil)
        #expect(
            processObjection { $0.rlimits = [.init(type: "RLIMIT_FOO", soft: 1, hard: 1)] }
                == "process.rlimits[0].type: unknown resource limit \"RLIMIT_FOO\"")
        #expect(
            processObjection { $0.rlimits = [.init(type: "CORE", soft: 1, hard: 1)] }
                == "process.rlimits[0].type: unknown resource limit \"CORE\"")
        let core = Spec.Process.Rlimit(type: "RLIMIT_CORE", soft: 1, hard: 1)
        #expect(
            processObjection { $0.rlimits = [core, core] }
                == "process.rlimits[1].type: RLIMIT_CORE is given twice")
        #expect(
            processObjection { $0.rlimits = [.init(type: "RLIMIT_CPU", soft: 6, hard: 5)] }
                == "process.rlimits[0].soft: 6 is more than the hard limit 5")
    }

    @Test func mounts() {
        func mount(_ destination: String, _ options: [String] = [], source: String? = "s") -> String? {
            objection {
                $0.mounts = [.init(destination: destination, type: "tmpfs", source: source, options: options)]
            }
        }
        #expect(mount("/a") == nil)
        #expect(mount("a/b") == nil)
        #expect(mount("") == "mounts[0].destination: must not be empty")
        for root in ["/", "//", "/.", ".", "/a/..", "../.."] {
            #expect(
                mount(root)
                    == "mounts[0].destination: must not be the container's root, which root.path gives")
        }
        #expect(mount("/a", ["rbind"], source: nil) == "mounts[0].source: is required for a bind mount")
        #expect(mount("/a", ["ro"], source: nil) == nil)
        var relative = validSpec()
        relative.mounts = [.init(destination: "a")]
        #expect(Validator.warnings(relative) == ["mounts[0].destination: is not absolute, taken as /a"])
    }

    @Test func resources() {
        #expect(resourcesObjection { _ in } == nil)
        #expect(
            resourcesObjection { $0.devices = [.init(allow: true, major: -1, minor: -1, access: "rwm")] }
                == nil)
        #expect(
            resourcesObjection { $0.devices = [.init(allow: true, access: "rx")] }
                == "linux.resources.devices[0].access: \"rx\" may only consist of r, w and m")
        #expect(
            resourcesObjection { $0.devices = [.init(allow: true, major: -2)] }
                == "linux.resources.devices[0].major: must be a number from 0 on, or -1 for every number")
        for size in ["../x", "2M", "MB", "2 MB", "2mb", "1/2MB"] {
            #expect(
                resourcesObjection { $0.hugepageLimits = [.init(pageSize: size, limit: 1)] }
                    == "linux.resources.hugepageLimits[0].pageSize: \(size.debugDescription)"
                    + " is not a size such as 64KB, 2MB or 1GB")
        }
        for key in [
            "..", ".", "", "../memory.max", "a/b", "memory", ".max", "memory.", "io.max/", "io.m\nax",
            "io max",
        ] {
            #expect(
                resourcesObjection { $0.unified = [.init(key, "1")] }
                    == "linux.resources.unified[\(key.debugDescription)]: must be the name of a cgroup file,"
                    + " CONTROLLER.NAME")
        }
        for key in ["cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze"] {
            #expect(
                resourcesObjection { $0.unified = [.init(key, "1")] }
                    == "linux.resources.unified[\(key.debugDescription)]: is no setting of the cgroup")
        }
        for name in ["", "a b", "a\n", "\u{7f}"] {
            #expect(
                resourcesObjection { $0.rdma = [.init(device: name, hcaObjects: 1)] }
                    == "linux.resources.rdma[\(name.debugDescription)]: must be the name of a device")
            #expect(
                resourcesObjection {
                    $0.network = .init()
                    $0.network?.priorities = [.init(name: "lo", priority: 1), .init(name: name, priority: 1)]
                }
                    == "linux.resources.network.priorities[1].name: \(name.debugDescription) is not the name of an interface"
            )
        }
    }

    @Test func documentsOnTheirOwn() {
        #expect(throws: Failure.self) { try Validator.check(Spec.Process(cwd: "x", args: ["a"])) }
        do {
            try Validator.check(Spec.Process(cwd: "x", args: ["a"]))
        } catch {
            #expect(error.description == "cwd: must be an absolute path")
        }
        var resources = Spec.Linux.Resources()
        resources.rdma = [.init(device: "d")]
        do {
            try Validator.check(resources)
            Issue.record("an empty limit passed")
        } catch {
            #expect(error.description == "rdma[\"d\"]: must have hcaHandles or hcaObjects")
        }
    }
}
