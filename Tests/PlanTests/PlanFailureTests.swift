import CPlan
import Diagnostics
import Glibc
import OCI
import Testing

@testable import Plan

/// Sentences for what the init reports. Engines choose exit codes by those about executables; they are
/// runc's.
@Suite struct PlanFailureTests {
    private let fixture: Plan

    init() throws {
        fixture = try plan(
            smallSpec {
                $0.hostname = "h"
                $0.process?.args = ["nosuch"]
                $0.process?.cwd = "/work"
                $0.mounts = [
                    .init(destination: "/proc", type: "proc", source: "proc"),
                    .init(
                        destination: "/run", type: "tmpfs", source: "tmpfs",
                        options: ["size=banana", "tmpcopyup"]),
                    .init(destination: "/b", type: "bind", source: "/nosuch", options: ["bind", "ro"]),
                ]
                $0.linux?.maskedPaths = ["/proc/kcore"]
                $0.linux?.sysctl = [.init("net.ipv4.ip_forward", "x")]
                $0.linux?.devices = [.init(.character, path: "/dev/x", major: 1, minor: 3)]
            })
    }

    private func sentence(
        _ code: Op.Code, at property: String? = nil, _ errno: Int32, _ kind: cplan_detail = CPLAN_DETAIL_NONE,
        _ detail: String = ""
    ) -> String {
        let index = fixture.ops.firstIndex {
            $0.code == code && (property == nil || $0.origin.path == property)
        }!
        return fixture.describe(op: index, errno: errno, kind: kind.rawValue, detail: [UInt8](detail.utf8))
            .description
    }

    @Test func mounts() {
        #expect(
            sentence(.makeFS, at: "mounts[1]", EINVAL, CPLAN_DETAIL_OPTION, "size=banana\0")
                == "mounts[1]: cannot mount tmpfs on /run: fsconfig \"size=banana\": invalid argument")
        #expect(
            sentence(
                .makeFS, at: "mounts[1]", EINVAL, CPLAN_DETAIL_OPTION,
                "size=banana\0e tmpfs: Bad value for 'size'\n")
                == "mounts[1]: cannot mount tmpfs on /run: fsconfig \"size=banana\" (tmpfs: Bad value for 'size'): invalid argument"
        )
        #expect(
            sentence(.makeFS, at: "mounts[1]", ENODEV)
                == "mounts[1]: cannot mount tmpfs on /run (this kernel has no such file system): fsopen: no such device"
        )
        #expect(
            sentence(.copyUp, ENOSPC, CPLAN_DETAIL_PATH, "/lock/file")
                == "mounts[1]: cannot copy what /run holds into the tmpfs that goes on it (the tmpfs is too small: options size and nr_inodes): copy /run/lock/file: no space left on device"
        )
        #expect(
            sentence(.openTree, at: "mounts[2]", ENOENT)
                == "mounts[2]: cannot open the source /nosuch: open_tree: no such file or directory")
        #expect(
            sentence(.attach, at: "mounts[2]", ENOTDIR)
                == "mounts[2]: cannot mount /nosuch on /b (one of them is a directory, the other is not): move_mount: not a directory"
        )
        #expect(
            sentence(.mountAttr, at: "mounts[2]", EPERM)
                == "mounts[2]: cannot give the mount /b its attributes (ro, without nosuid,nodev,noexec,nosymfollow): mount_setattr: operation not permitted"
        )
        #expect(
            sentence(.openTarget, at: "mounts[0]", ELOOP, CPLAN_DETAIL_SYMLINK)
                == "mounts[0]: cannot make the mount point /proc: there is a symlink on the way, which could lead elsewhere: openat2: too many levels of symbolic links"
        )
        #expect(
            sentence(.openTarget, at: "mounts[1]", EPERM, CPLAN_DETAIL_PROC)
                == "mounts[1]: cannot make the mount point /run: it leads into /proc, where nothing may be mounted: openat2: operation not permitted"
        )
        #expect(
            sentence(.openTarget, at: "mounts[2]", EROFS, CPLAN_DETAIL_PATH, "b")
                == "mounts[2]: cannot make the mount point /b: openat2 b: read-only file system")
    }

    @Test func others() {
        #expect(
            sentence(.write, EINVAL)
                == "linux.sysctl[0]: cannot write \"x\" to /proc/sys/net/ipv4/ip_forward: write: invalid argument"
        )
        #expect(
            sentence(.chdir, EXDEV, CPLAN_DETAIL_OUTSIDE)
                == "process.cwd: cannot enter the working directory /work: it is outside the container's root file system: chdir: invalid cross-device link"
        )
        #expect(
            sentence(.mknod, at: "linux.devices[0]", EEXIST, CPLAN_DETAIL_WRONG_NODE)
                == "linux.devices[0]: cannot make the device /dev/x: something else is there already: mknodat: file exists"
        )
        #expect(
            sentence(.capBounding, EPERM, CPLAN_DETAIL_CAPABILITY, "\u{5}")
                == "process.capabilities.bounding: cannot drop a capability from the bounding set (CAP_KILL): prctl: operation not permitted"
        )
        #expect(
            sentence(.cover, EPERM)
                == "linux.maskedPaths[0]: cannot mask /proc/kcore: move_mount: operation not permitted")
        #expect(
            fixture.describe(op: 100_000, errno: 22).description
                == "the plan is malformed at step 100000: this is a bug in gantry: init: invalid argument")
        // Every step has a sentence.
        for index in fixture.ops.indices {
            #expect(!fixture.describe(op: index, errno: 1).description.isEmpty)
            #expect(!fixture.words(at: index).isEmpty)
        }
    }

    private func unresolved(_ name: String, _ errno: Int32, reason: UInt8? = nil) throws -> String {
        let plan = try plan(smallSpec { $0.process?.args = [name] })
        let index = try #require(plan.ops.firstIndex { $0.code == .resolveExec })
        let kind = reason == nil ? 0 : CPLAN_DETAIL_EXEC_REASON.rawValue
        let detail = reason.map { [$0] } ?? []
        return plan.describe(op: index, errno: errno, kind: kind, detail: detail).description
    }

    /// Behind "unable to start container process: " these are what runc prints.
    @Test func executablesThatAreNotFound() throws {
        #expect(try unresolved("nosuch", ENOENT) == "exec: \"nosuch\": executable file not found in $PATH")
        #expect(
            try unresolved("/nosuch", ENOENT)
                == "exec: \"/nosuch\": stat /nosuch: no such file or directory")
        #expect(try unresolved("/etc/passwd", EACCES) == "exec: \"/etc/passwd\": permission denied")
        #expect(
            try unresolved("/etc/passwd/x", ENOTDIR)
                == "exec: \"/etc/passwd/x\": stat /etc/passwd/x: not a directory")
        #expect(try unresolved("/etc", EISDIR) == "exec: \"/etc\": permission denied: it is a directory")
        // Docker takes "permission denied" for another exit code than runc's answer here.
        #expect(
            try unresolved("x", EACCES)
                == "exec: \"x\": executable file not found in $PATH: one is there, but it is not executable")
        #expect(
            try unresolved("/x", EACCES, reason: UInt8(CPLAN_EXEC_NOEXEC.rawValue))
                == "exec: \"/x\": permission denied: it is on a mount with noexec")
    }

    private func refused(_ errno: Int32, _ head: [UInt8], path: String = "/bin/x") -> String {
        ExecFailure.refused([UInt8](path.utf8) + [0] + head, name: "x", errno: errno).description
    }

    @Test func executablesThatDoNotStart() {
        let missing = "exec /bin/x: no such file or directory"
        #expect(
            refused(ENOENT, [UInt8]("#! /nosuch -x\necho".utf8))
                == "the interpreter /nosuch of /bin/x is missing in the container: \(missing)")
        #expect(
            refused(ENOENT, [UInt8]("#!/bin/sh\r\necho".utf8))
                == "the #! line of /bin/x ends with a carriage return (CRLF), part of the name: \(missing)"
        )
        #expect(
            refused(ENOENT, elf(machine: 62, loader: "/lib64/ld-linux-x86-64.so.2"))
                == "the loader /lib64/ld-linux-x86-64.so.2 of /bin/x is missing in the container: \(missing)")
        #expect(refused(ENOENT, []) == "the program cannot be started: \(missing)")
        let format = "exec /bin/x: exec format error"
        #expect(refused(ENOEXEC, []) == "/bin/x is empty: \(format)")
        #expect(
            refused(ENOEXEC, [UInt8]("echo".utf8)) == "/bin/x is no program and has no #! line: \(format)")
        let foreign = ELFHead.ownMachine == "arm64" ? (62 as UInt8, "x86-64") : (183, "arm64")
        #expect(
            refused(ENOEXEC, elf(machine: foreign.0, loader: nil))
                == "/bin/x is built for \(foreign.1), this machine is \(ELFHead.ownMachine): \(format)")
        #expect(
            refused(EACCES, [])
                == "/bin/x may not be executed: its mode, or a mount with noexec: exec /bin/x: permission denied"
        )
        #expect(
            refused(EACCES, [UInt8]("#!/data\n".utf8)).hasPrefix(
                "the interpreter /data of /bin/x may not be executed: its mode, or a mount with noexec: "))
    }

    /// A head that lies about its own sizes leads nowhere.
    @Test func brokenELF() {
        var head = elf(machine: 62, loader: "/l")
        for index in 32..<64 { head[index] = 0xff }
        #expect(ELFHead(head)?.interpreter == nil)
        for count in 0..<head.count { _ = ELFHead(Array(head.prefix(count))) }
    }

    /// elf(5): the header, and one program header of type PT_INTERP.
    private func elf(machine: UInt8, loader: String?) -> [UInt8] {
        var head = [UInt8](repeating: 0, count: 64 + 56)
        head.replaceSubrange(0..<6, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1])
        head[18] = machine
        head[32] = 64
        head[54] = 56
        guard let loader else { return head }
        head[56] = 1
        head[64] = 3
        head[72] = UInt8(head.count)
        return head + [UInt8](loader.utf8) + [0]
    }
}
