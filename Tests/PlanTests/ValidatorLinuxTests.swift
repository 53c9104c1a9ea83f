import Diagnostics
import OCI
import Testing

@testable import Plan

/// Namespaces, covered paths, sysctls, devices, the filter.
@Suite struct ValidatorLinuxTests {
    @Test func namespaces() {
        #expect(
            linuxObjection { $0.namespaces.append(.init(.pid, path: "/proc/1/ns/pid")) }
                == "linux.namespaces[6].type: namespace pid is given twice")
        #expect(
            linuxObjection { $0.namespaces[1].path = "ns/net" }
                == "linux.namespaces[1].path: must be an absolute path")
        #expect(linuxObjection { $0.namespaces[1].path = "/proc/1/ns/net" } == nil)
    }

    @Test func hostNames() {
        let long = String(repeating: "a", count: 65)
        #expect(objection { $0.hostname = String(long.dropLast()) } == nil)
        #expect(objection { $0.hostname = long } == "hostname: must have at most 64 bytes, has 65")
        #expect(objection { $0.domainname = long } == "domainname: must have at most 64 bytes, has 65")
        for property in ["hostname", "domainname"] {
            let failure = objection {
                if property == "hostname" { $0.hostname = "h" } else { $0.domainname = "h" }
                $0.linux?.namespaces.removeAll { $0.type == .uts }
            }
            #expect(failure == "\(property): cannot be set without a uts namespace")
        }
        #expect(
            objection {
                $0.hostname = "h"
                $0.linux?.namespaces[3].path = "/ns/uts"
            } == nil)
        #expect(
            objection {
                $0.hostname = "h"
                $0.linux = nil
            } == "hostname: cannot be set without a uts namespace")
    }

    @Test func propagation() {
        for value in [
            "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable",
        ] {
            #expect(linuxObjection { $0.rootfsPropagation = value } == nil)
        }
        #expect(
            linuxObjection { $0.rootfsPropagation = "foo" }
                == "linux.rootfsPropagation: unknown propagation \"foo\"; known are shared, slave, private and unbindable"
        )
    }

    @Test func coveredPaths() {
        #expect(
            linuxObjection { $0.maskedPaths = ["/a", "b"] }
                == "linux.maskedPaths[1]: must be an absolute path")
        #expect(
            linuxObjection { $0.readonlyPaths = [""] } == "linux.readonlyPaths[0]: must be an absolute path")
        #expect(
            linuxObjection {
                $0.readonlyPaths = ["/a"]
                $0.namespaces.removeAll { $0.type == .mount }
            } == "linux.readonlyPaths: cannot be set without a mount namespace")
    }

    @Test(arguments: [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
        "kernel.shmmni", "kernel.shm_rmid_forced", "fs.mqueue.msg_max", "net.ipv4.ip_forward",
        "net/ipv4/ip_forward",
        "net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding", "kernel.domainname",
    ])
    func sysctlsOfTheContainer(_ name: String) {
        #expect(linuxObjection { $0.sysctl = [.init(name, "1")] } == nil)
        let without = linuxObjection {
            $0.sysctl = [.init(name, "1")]
            $0.namespaces = [.init(.mount)]
        }
        let suffix = "]: cannot be set without a "
        #expect(without?.contains("linux.sysctl[\"\(name)\"\(suffix)") == true)
    }

    @Test(arguments: [
        ("vm.swappiness", "belongs to no namespace: setting it would change the host"),
        ("kernel.semantics", "belongs to no namespace: setting it would change the host"),
        ("kernel.panic", "belongs to no namespace: setting it would change the host"),
        ("networks.x", "belongs to no namespace: setting it would change the host"),
        ("kernel.hostname", "is set by the property hostname"),
        ("user.max_user_namespaces", "cannot be set without a user namespace"),
        ("net", "belongs to no namespace: setting it would change the host"),
        ("", "is not the name of a kernel parameter"),
        ("net/../kernel/hostname", "is not the name of a kernel parameter"),
        ("net..ipv4", "is not the name of a kernel parameter"),
        ("net.ipv4.", "is not the name of a kernel parameter"),
        ("/net/ipv4/ip_forward", "is not the name of a kernel parameter"),
        ("net/./x", "is not the name of a kernel parameter"),
    ])
    func sysctlsOfTheHost(_ name: String, _ problem: String) {
        #expect(
            linuxObjection { $0.sysctl = [.init(name, "1")] }
                == "linux.sysctl[\(name.debugDescription)]: \(problem)")
    }

    @Test func sysctlValues() {
        #expect(
            linuxObjection { $0.sysctl = [.init("net.a", "1\n2")] }
                == "linux.sysctl[\"net.a\"]: must not contain a line end")
        #expect(
            linuxObjection { $0.sysctl = [.init("net.a", "1"), .init("net/a", "2")] }
                == "linux.sysctl[\"net/a\"]: is given twice, with . and with /")
    }

    /// sysctl(8): the first separator decides.
    @Test func sysctlPaths() {
        #expect(SysctlName.path(of: "net.ipv4.conf.eth0/1.x") == "net/ipv4/conf/eth0.1/x")
        #expect(SysctlName.path(of: "net/ipv4/conf/eth0.1/x") == "net/ipv4/conf/eth0.1/x")
        #expect(SysctlName.path(of: "plain") == "plain")
    }

    @Test func devices() {
        func device(_ device: Spec.Linux.Device) -> String? { linuxObjection { $0.devices = [device] } }
        #expect(
            device(.init(.character, path: "/dev/x", major: 4095, minor: 1_048_575, fileMode: 0o20666)) == nil
        )
        #expect(device(.init(.fifo, path: "/dev/x", major: -1)) == nil)
        #expect(device(.init(.block, path: "dev/x")) == "linux.devices[0].path: must be an absolute path")
        #expect(
            device(.init(.block, path: "/dev/.."))
                == "linux.devices[0].path: must not be the container's root")
        #expect(
            device(.init(.block, path: "/x", major: 4096))
                == "linux.devices[0].major: must be from 0 to 4095, is 4096")
        #expect(
            device(.init(.block, path: "/x", minor: -1))
                == "linux.devices[0].minor: must be from 0 to 1048575, is -1")
        #expect(
            device(.init(.fifo, path: "/x", fileMode: 0o200000))
                == "linux.devices[0].fileMode: must be at most 07777 (4095)")
        #expect(
            device(.init(.fifo, path: "/x", uid: .max))
                == "linux.devices[0].uid: must be less than 4294967295")
        #expect(
            device(.init(.fifo, path: "/x", gid: .max))
                == "linux.devices[0].gid: must be less than 4294967295")
        let null = Spec.Linux.Device(.character, path: "/dev/n", major: 1, minor: 3)
        let zero = Spec.Linux.Device(.character, path: "/dev/n", major: 1, minor: 5)
        #expect(linuxObjection { $0.devices = [null, null] } == nil)
        #expect(
            linuxObjection { $0.devices = [null, zero] }
                == "linux.devices[1].path: \"/dev/n\" is given twice, as different devices")
    }

    @Test func cgroupsPath() {
        #expect(linuxObjection { $0.cgroupsPath = "/a..b/c.." } == nil)
        #expect(linuxObjection { $0.cgroupsPath = "/a/../b" } == "linux.cgroupsPath: must not contain \"..\"")
        #expect(linuxObjection { $0.cgroupsPath = ".." } == "linux.cgroupsPath: must not contain \"..\"")
    }

    @Test func personality() {
        #expect(linuxObjection { $0.personality = .init(domain: .linux32) } == nil)
        let failure = linuxObjection {
            $0.personality = .init(domain: .linux)
            $0.personality?.flags = ["X"]
        }
        #expect(failure == "linux.personality.flags[0]: unknown flag \"X\"; none are defined")
    }

    @Test func seccomp() {
        func filter(
            _ action: Spec.Linux.Seccomp.Action = .allow, _ rule: Spec.Linux.Seccomp.Rule? = nil,
            _ change: (inout Spec.Linux.Seccomp) -> Void = { _ in }
        ) -> String? {
            linuxObjection {
                var seccomp = Spec.Linux.Seccomp(defaultAction: action)
                if let rule { seccomp.syscalls = [rule] }
                change(&seccomp)
                $0.seccomp = seccomp
            }
        }
        let only = "is only for SCMP_ACT_ERRNO and SCMP_ACT_TRACE, not SCMP_ACT_ALLOW"
        #expect(filter() == nil)
        #expect(filter(.errno) { $0.defaultErrnoRet = 38 } == nil)
        #expect(filter { $0.defaultErrnoRet = 38 } == "linux.seccomp.defaultErrnoRet: \(only)")
        #expect(
            filter(.errno) { $0.defaultErrnoRet = 4096 }
                == "linux.seccomp.defaultErrnoRet: must be from 0 to 4095, is 4096")
        #expect(filter(.trace) { $0.defaultErrnoRet = 65535 } == nil)
        #expect(filter(.notify) == "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY must not be the default")
        #expect(
            filter { $0.listenerMetadata = "x" }
                == "linux.seccomp.listenerMetadata: has no meaning without listenerPath")
        #expect(
            filter(.allow, .init(names: [], action: .log))
                == "linux.seccomp.syscalls[0].names: must not be empty")
        #expect(
            filter(.allow, .init(names: ["a", ""], action: .log))
                == "linux.seccomp.syscalls[0].names[1]: must not be empty")
        #expect(
            filter(.errno, .init(names: ["a"], action: .allow, errnoRet: 1))
                == "linux.seccomp.syscalls[0].errnoRet: \(only)")
        let six = Spec.Linux.Seccomp.Argument(index: 6, value: 0, op: .equal)
        #expect(
            filter(.allow, .init(names: ["a"], action: .errno, args: [six]))
                == "linux.seccomp.syscalls[0].args[0].index: must be from 0 to 5, is 6")
    }
}
