import CPlan
import Diagnostics
import Foundation
import JSON
import OCI
import Testing

@testable import Plan

/// The buffer that the init reads.
@Suite struct PlanEncodingTests {
    /// The order of the Swift enumeration is that of the header.
    @Test func opcodes() {
        let header: [(cplan_opcode, Op.Code)] = [
            (CPLAN_NOP, .nop), (CPLAN_OPEN, .open), (CPLAN_OPEN_TARGET, .openTarget), (CPLAN_CHECK, .check),
            (CPLAN_CLOSE, .close), (CPLAN_SETNS, .setNS), (CPLAN_UNSHARE, .unshare), (CPLAN_FORK, .fork),
            (CPLAN_SYNC, .sync), (CPLAN_LOOPBACK, .loopback), (CPLAN_HOSTNAME, .hostname),
            (CPLAN_DOMAINNAME, .domainname), (CPLAN_KEYRING, .keyring), (CPLAN_PERSONALITY, .personality),
            (CPLAN_RLIMIT, .rlimit), (CPLAN_UMASK, .umask), (CPLAN_WRITE, .write),
            (CPLAN_PROPAGATION, .propagation),
            (CPLAN_OPEN_TREE, .openTree), (CPLAN_MAKE_FS, .makeFS), (CPLAN_MOUNT_ATTR, .mountAttr),
            (CPLAN_ATTACH, .attach), (CPLAN_MOUNT_DATA, .mountData), (CPLAN_COVER, .cover),
            (CPLAN_PIVOT, .pivot),
            (CPLAN_MOVE_ROOT, .moveRoot), (CPLAN_MKDIR, .mkdir), (CPLAN_MKNOD, .mknod),
            (CPLAN_SYMLINK, .symlink),
            (CPLAN_STDIO_NULL, .stdioNull), (CPLAN_STDIO_OWNER, .stdioOwner),
            (CPLAN_CAP_BOUNDING, .capBounding),
            (CPLAN_IDENTITY, .identity), (CPLAN_CAPS, .caps), (CPLAN_NO_NEW_PRIVS, .noNewPrivileges),
            (CPLAN_SECCOMP, .seccomp), (CPLAN_CHDIR, .chdir), (CPLAN_RESOLVE_EXEC, .resolveExec),
            (CPLAN_WAIT_START, .waitStart), (CPLAN_CLOSE_FROM, .closeFrom), (CPLAN_EXEC, .exec),
            (CPLAN_CHROOT, .chroot), (CPLAN_COPY_UP, .copyUp),
            (CPLAN_RESET_SIGNALS, .resetSignals), (CPLAN_ENTER, .enter), (CPLAN_OPEN_MOUNT, .openMount),
            (CPLAN_PTY_MASTER, .ptyMaster), (CPLAN_PTY_SLAVE, .ptySlave), (CPLAN_PTY_CONTROL, .ptyControl),
            (CPLAN_DEATH_SIGNAL, .deathSignal),
        ]
        for (opcode, code) in header {
            #expect(opcode.rawValue == UInt32(code.rawValue), "\(code)")
            // The name in JSON is the header's, in small letters.
            #expect(!Plan.name(code).isEmpty)
        }
        #expect(header.count == Int(CPLAN_OPCODES.rawValue))
        #expect(Op.Code.allCases.count == Int(CPLAN_OPCODES.rawValue))
    }

    @Test func syncNumbersAndSlots() {
        #expect(SyncPoint.place == UInt64(CPLAN_SYNC_PLACE.rawValue))
        #expect(SyncPoint.mounted == UInt64(CPLAN_SYNC_MOUNTED.rawValue))
        #expect(SyncPoint.ready == UInt64(CPLAN_SYNC_READY.rawValue))
        #expect(SyncPoint.terminal == UInt64(CPLAN_SYNC_TERMINAL.rawValue))
        #expect(Slot.lastKept < Slot.firstKept)
        #expect(Int32(Slot.firstKept) == CPLAN_SLOTS - 1)
    }

    @Test func roundTrip() throws {
        let spec = smallSpec {
            $0.mounts = [
                .init(destination: "/proc", type: "proc", source: "proc"),
                .init(destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=1m"]),
            ]
            $0.process?.args = ["sh", "", "π", "a b"]
            $0.process?.env = ["PATH=/bin", "EMPTY=", "Ä=ö"]
            $0.process?.user = .init(uid: 7, gid: 8, additionalGids: [1, 70000, 4_000_000_000])
        }
        var options = TestHost.options
        options.preserveFDs = 3
        let plan = try plan(spec, options: options)
        let decoded = DecodedPlan(try plan.encode())

        #expect(decoded.header.magic == UInt32(CPLAN_MAGIC))
        #expect(Int32(decoded.header.version) == CPLAN_VERSION)
        #expect(decoded.header.total_size == UInt32(decoded.bytes.count))
        #expect(decoded.header.first_private == 6)
        #expect(decoded.ops.map(\.code) == plan.ops.map(\.code.rawValue))
        for (decoded, op) in zip(decoded.ops, plan.ops) {
            #expect(decoded.flags == op.raw.flags && decoded.dst == op.raw.dst && decoded.src == op.raw.src)
            #expect(decoded.arg0 == op.raw.arg0 && decoded.arg1 == op.raw.arg1 && decoded.arg2 == op.raw.arg2)
        }
        let makes = decoded.ops.filter { $0.code == UInt16(CPLAN_MAKE_FS.rawValue) }
        #expect(makes.map { decoded.text($0.str) } == ["proc", "tmpfs"])
        let exec = try #require(decoded.ops.last)
        #expect(decoded.vector(exec.str) == ["sh", "", "π", "a b"])
        #expect(decoded.vector(exec.str2) == ["PATH=/bin", "EMPTY=", "Ä=ö"])
        let identity = try #require(decoded.ops.first { $0.code == UInt16(CPLAN_IDENTITY.rawValue) })
        let groups = decoded.bytes.withUnsafeBytes { memory in
            (0..<Int(identity.len)).map {
                memory.load(fromByteOffset: Int(identity.str) + $0 * 4, as: UInt32.self)
            }
        }
        #expect(groups == [1, 70000, 4_000_000_000])
        // What the init reads as 64-bit words lies at multiples of 8.
        #expect(exec.str % 8 == 0 && exec.str2 % 8 == 0 && identity.str2 % 8 == 0)
    }

    /// The init relocates in place and appends up to two entries.
    @Test func vectorsHaveRoom() throws {
        let plan = try plan(smallSpec())
        let exec = try #require(plan.ops.last)
        let count = plan.word(Int(exec.raw.str2))
        let end = Int(exec.raw.str2) + 8 + Int(count) * 8
        #expect(end + 16 <= plan.blob.count)
        #expect(plan.word(end) == 0 && plan.word(end + 8) == 0)
    }

    /// CVE-2021-43784: lengths of 16 bits overflowed. Here everything has 32, and what is counted with 16 is
    /// checked.
    @Test func longConfigurations() throws {
        let long = String(repeating: "x", count: 100_000)
        var spec = smallSpec {
            $0.process?.env =
                (0..<3000).map { "VARIABLE_\($0)=\(String(repeating: "v", count: 100))" } + ["L=" + long]
            $0.process?.args = [long, long]
            $0.linux?.maskedPaths = (0..<2000).map { "/masked/\($0)/" + String(repeating: "m", count: 200) }
        }
        let decoded = DecodedPlan(try plan(spec).encode())
        let exec = try #require(decoded.ops.last)
        #expect(decoded.vector(exec.str) == [long, long])
        #expect(decoded.vector(exec.str2) == spec.process?.env)

        spec.linux?.maskedPaths = (0..<40_000).map { "/masked/\($0)" }
        let large = try plan(spec)
        #expect(throws: Failure.self) { try large.encode() }
    }

    @Test func thousandMounts() throws {
        let spec = smallSpec {
            $0.mounts = (0..<1000).map { index in
                index % 2 == 0
                    ? .init(destination: "/m\(index)", type: "tmpfs", source: "tmpfs", options: ["ro"])
                    : .init(
                        destination: "/m\(index)", type: "bind", source: "/srv/\(index)",
                        options: ["rbind", "ro"])
            }
        }
        let plan = try plan(spec)
        #expect(plan.ops.filter { $0.code == .attach }.count == 1001)
        // The root, and every tmpfs, whether a slot was left for it or not.
        #expect(plan.ops.filter { $0.code == .mountAttr && $0.raw.arg0 == 1 }.count == 1000)
        for op in plan.ops {
            for slot in [op.raw.dst, op.raw.src, op.raw.aux] { #expect(slot < CPLAN_SLOTS && slot >= -1) }
        }
        _ = try plan.encode()
    }

    /// No op reads a slot that nothing filled before it.
    @Test(arguments: [CgroupLayout.unified, TestHost.legacy])
    func slotsAreFilledBeforeTheyAreRead(_ layout: CgroupLayout) throws {
        let spec = smallSpec {
            $0.hostname = "h"
            $0.root?.readonly = true
            $0.mounts = [
                .init(destination: "/proc", type: "proc", source: "proc"),
                .init(destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["ro"]),
                .init(destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"]),
                .init(destination: "/b", type: "bind", source: "b", options: ["bind", "ro", "rslave"]),
            ]
            $0.linux?.maskedPaths = ["/proc/kcore"]
            $0.linux?.readonlyPaths = ["/proc/sys"]
            $0.linux?.rootfsPropagation = "shared"
            $0.linux?.devices = [.init(.character, path: "/dev/net/tun", major: 10, minor: 200)]
            $0.linux?.namespaces[1].path = "/proc/7/ns/net"
            $0.process?.terminal = true
        }
        let plan = try plan(spec, facts: TestHost.facts(layout))
        var filled: Set<Int16> = [Slot.control, Slot.start, Slot.cgroup]
        var fresh = true
        for (index, op) in plan.ops.enumerated() {
            if fresh, op.code == .closeFrom {
                filled = [op.raw.src]
                fresh = false
            }
            for slot in [op.raw.src, op.raw.aux] where slot != Slot.none {
                #expect(filled.contains(slot), "step \(index): \(plan.words(at: index))")
            }
            if op.raw.dst != Slot.none { filled.insert(op.raw.dst) }
        }
    }

    @Test func nulBytesAreRefused() {
        #expect(
            refusal(smallSpec { $0.process?.env = ["A=b\0c"] }) == "process.env: must not contain a NUL byte")
        #expect(
            refusal(smallSpec { $0.mounts = [.init(destination: "/a\0b", type: "tmpfs", source: "t")] })
                == "mounts[0]: must not contain a NUL byte")
        #expect(
            refusal(
                smallSpec {
                    $0.mounts = [.init(destination: "/a", type: "tmpfs", source: "t", options: ["x=\0"])]
                })
                == "mounts[0]: must not contain a NUL byte")
    }

    @Test func filters() throws {
        let spec = smallSpec {
            $0.linux?.seccomp = .init(defaultAction: .allow)
            $0.linux?.seccomp?.flags = [.log, .specAllow]
        }
        var plan = try plan(spec)
        #expect(plan.needsFilter)
        #expect(throws: Failure.self) { try plan.encode() }
        let filter = (0..<800).map { UInt8(truncatingIfNeeded: $0) }
        try plan.attach(filter: filter)
        #expect(!plan.needsFilter)
        let decoded = DecodedPlan(try plan.encode())
        let op = try #require(decoded.ops.first { $0.code == UInt16(CPLAN_SECCOMP.rawValue) })
        #expect(op.arg0 == 0b110)
        #expect(Array(decoded.bytes[Int(op.str)...].prefix(Int(op.len))) == filter)
        #expect(op.str % 8 == 0)

        var open = try Planner.plan(spec, facts: TestHost.facts(), options: TestHost.options)
        try open.attach(filter: [])
        #expect(!DecodedPlan(try open.encode()).ops.contains { $0.code == UInt16(CPLAN_SECCOMP.rawValue) })
        #expect(throws: Failure.self) {
            try open.attach(filter: [UInt8](repeating: 0, count: 4097 * 8))
        }
    }

    /// The JSON form is JSON, and has every step.
    @Test func json() throws {
        let plan = try plan(smallSpec())
        var writer = JSONWriter(.compact)
        plan.write(to: &writer)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(writer.bytes)) as? [String: [[String: Any]]])
        let steps = try #require(object["steps"])
        #expect(steps.count == plan.ops.count)
        #expect(steps.last?["op"] as? String == "exec")
        #expect(steps.last?["args"] as? [String] == ["/bin/sh"])
        #expect(steps.first?["stage"] as? Int == 1)
        #expect(steps.last?["stage"] as? Int == 2)
    }
}
