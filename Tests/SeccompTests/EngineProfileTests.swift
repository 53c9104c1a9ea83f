import Foundation
import OCI
import Testing

@testable import Seccomp

/// The profiles that engines write, against what their text says, number by number, by hand.
@Suite struct EngineProfileTests {
    private static let allow: UInt32 = 0x7fff_0000
    private static func errno(_ number: UInt32) -> UInt32 { 0x0005_0000 | number }

    @Test(arguments: Fixtures.names(in: "configs", ending: ".json"))
    func everyProfileCompiles(_ name: String) throws {
        guard let profile = try Fixtures.config(name) else { return }
        for machine in [Machine.x86_64, .arm64] {
            let filter = try SeccompCompiler.compile(profile, for: machine)
            _ = try Interpreter(filter.bytes)
            #expect(filter.bytes.count / 8 < 1000)
        }
    }

    struct Row: Sendable, CustomStringConvertible {
        let call: Call
        let result: UInt32
        let why: String
        var description: String { "\(why): \(call)" }

        init(_ architecture: UInt32, _ number: UInt32, _ result: UInt32, _ why: String) {
            self.init(architecture, number, [], result, why)
        }

        init(_ architecture: UInt32, _ number: UInt32, _ arguments: [UInt64], _ result: UInt32, _ why: String)
        {
            let padding = [UInt64](repeating: 0, count: 6 - arguments.count)
            call = Call(architecture: architecture, number: number, arguments: arguments + padding)
            self.result = result
            self.why = why
        }
    }

    /// docker 20.10's default profile with its default capabilities, on x86-64.
    @Test(arguments: [
        Row(Call.x86_64, 0, allow, "read"),
        Row(Call.i386, 3, allow, "read on i386"),
        Row(Call.x86_64, 0x4000_0000, allow, "read on x32"),
        Row(Call.x86_64, 101, allow, "ptrace: allowed from kernel 4.8 on"),
        Row(Call.x86_64, 165, errno(1), "mount needs CAP_SYS_ADMIN"),
        Row(Call.i386, 21, errno(1), "mount on i386"),
        Row(Call.x86_64, 246, errno(1), "kexec_load"),
        Row(Call.x86_64, 250, errno(1), "keyctl"),
        Row(Call.x86_64, 135, [0], allow, "personality PER_LINUX"),
        Row(Call.x86_64, 135, [8], allow, "personality PER_LINUX32"),
        Row(Call.x86_64, 135, [0xffff_ffff], allow, "personality: query"),
        Row(Call.x86_64, 135, [0x2_0008], allow, "personality UNAME26 | PER_LINUX32"),
        Row(Call.x86_64, 135, [0x004_0000], errno(1), "personality ADDR_NO_RANDOMIZE"),
        Row(Call.x86_64, 135, [0x1_0000_0008], errno(1), "personality: upper half counts"),
        Row(Call.i386, 136, [8], allow, "personality on i386"),
        Row(Call.x86_64, 56, [17], allow, "clone: fork"),
        Row(Call.x86_64, 56, [0x003d_0f00], allow, "clone: thread"),
        Row(Call.x86_64, 56, [0x1000_0000], errno(1), "clone CLONE_NEWUSER"),
        Row(Call.x86_64, 56, [0x0002_0011], errno(1), "clone CLONE_NEWNS"),
        Row(Call.x86_64, 435, errno(38), "clone3: ENOSYS, so that glibc uses clone"),
        Row(Call.i386, 435, errno(38), "clone3 on i386"),
        Row(Call.x86_64, 272, errno(1), "unshare"),
        Row(Call.i386, 102, [1], allow, "socketcall"),
        Row(Call.i386, 359, allow, "socket, its own number"),
        Row(Call.x86_64, 334, allow, "rseq"),
        Row(Call.x86_64, 999, errno(38), "a call newer than the profile"),
        Row(Call.i386, 999, errno(38), "a call newer than the profile, on i386"),
        Row(Call.aarch64, 63, 0, "another architecture"),
    ])
    func dockerDefault(_ row: Row) throws {
        let filter = try Interpreter(
            SeccompCompiler.compile(Fixtures.profile("docker-default"), for: .x86_64).bytes)
        #expect(try filter.run(row.call) == row.result)
    }

    /// podman 4.3's: ENOSYS by default, EPERM for what is known and forbidden, EINVAL for audit's netlink
    /// sockets.
    @Test(arguments: [
        Row(Call.x86_64, 41, [2, 1, 0], allow, "socket AF_INET"),
        Row(Call.x86_64, 41, [16, 3, 9], errno(22), "socket AF_NETLINK, NETLINK_AUDIT"),
        Row(Call.x86_64, 41, [16, 3, 0], allow, "socket AF_NETLINK, NETLINK_ROUTE"),
        Row(Call.x86_64, 41, [2, 3, 9], allow, "socket: protocol 9 of another family"),
        Row(Call.x86_64, 246, errno(1), "kexec_load"),
        Row(Call.x86_64, 999, errno(38), "a call newer than the profile"),
    ])
    func podmanDefault(_ row: Row) throws {
        let filter = try Interpreter(
            SeccompCompiler.compile(Fixtures.profile("podman-default"), for: .x86_64).bytes)
        #expect(try filter.run(row.call) == row.result)
    }

    /// ENOSYS begins after the greatest number named, leaves the private calls of 32-bit ARM alone, and is
    /// not for permissive defaults nor for architectures in which nothing is named.
    @Test func newCallsOnARM() throws {
        let profile = try Fixtures.seccomp(
            """
            {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_ARM"], "syscalls": [
              {"names": ["read", "openat2", "set_tls"], "action": "SCMP_ACT_ALLOW"},
              {"names": ["faccessat2"], "action": "SCMP_ACT_ERRNO"}]}
            """)
        let filter = try Interpreter(SeccompCompiler.compile(profile, for: .arm64).bytes)
        func run(_ architecture: UInt32, _ number: UInt32) throws -> UInt32 {
            try filter.run(Call(architecture: architecture, number: number))
        }
        for architecture in [Call.aarch64, Call.arm] {
            #expect(try run(architecture, 437) == Self.allow)
            #expect(try run(architecture, 438) == Self.errno(1))
            #expect(try run(architecture, 439) == Self.errno(1))
            #expect(try run(architecture, 440) == Self.errno(38))
        }
        #expect(try run(Call.arm, 0x0e_ffff) == Self.errno(38))
        #expect(try run(Call.arm, 0x0f_0005) == Self.allow)
        #expect(try run(Call.arm, 0x0f_0002) == Self.errno(1))
        #expect(try run(Call.arm, 0x0f_0006) == Self.errno(1))
        #expect(try run(Call.aarch64, 0x0f_0005) == Self.errno(38))
    }
}
