import Diagnostics
import OCI
import Testing

@testable import Seccomp

/// What the OCI text forbids is refused with its place (config-linux.md, "Seccomp"; seccomp(2)).
@Suite struct ErrorTests {
    @Test(arguments: [
        (
            #"{"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/x"}"#,
            "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY is not supported yet"
        ),
        (
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_NOTIFY"}]}"#,
            "linux.seccomp.syscalls[0].action: SCMP_ACT_NOTIFY is not supported yet"
        ),
        (
            #"{"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}"#,
            "linux.seccomp.defaultErrnoRet: must not be set with SCMP_ACT_ALLOW, which returns no error number"
        ),
        (
            #"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 4096}"#,
            "linux.seccomp.defaultErrnoRet: must be at most 4095"
        ),
        (
            #"""
            {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"},
             {"names": ["write"], "action": "SCMP_ACT_TRACE", "errnoRet": 65536}]}
            """#,
            "linux.seccomp.syscalls[1].errnoRet: must be at most 65535"
        ),
        (
            #"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": [], "action": "SCMP_ACT_ALLOW"}]}"#,
            "linux.seccomp.syscalls[0].names: must name at least one system call"
        ),
        (
            #"""
            {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW",
             "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]}
            """#,
            "linux.seccomp.syscalls[0].args[1].index: must be 0 to 5: a system call has six arguments"
        ),
        (
            #"{"defaultAction": "SCMP_ACT_ERRNO", "listenerMetadata": "x"}"#,
            "linux.seccomp.listenerMetadata: must not be set without listenerPath"
        ),
    ])
    func refused(_ json: String, _ message: String) throws {
        let profile = try Fixtures.seccomp(json)
        let failure = #expect(throws: Failure.self) { try SeccompCompiler.compile(profile) }
        #expect(failure?.description == message)
    }

    /// Every condition on one argument is an alternative; more of them than the kernel's 4096 instructions
    /// hold.
    @Test func tooLong() throws {
        var rule = Spec.Linux.Seccomp.Rule(names: ["read"], action: .allow)
        for value in 0..<2000 {
            rule.args.append(.init(index: 0, value: UInt64(value) << 32 | 5, op: .equal))
        }
        var profile = Spec.Linux.Seccomp(defaultAction: .errno)
        profile.syscalls = [rule]
        let failure = #expect(throws: Failure.self) { try SeccompCompiler.compile(profile) }
        #expect(failure?.kind == .unsupported)
        #expect(failure?.place == "linux.seccomp")
    }

    /// linux/seccomp.h; WAIT_KILLABLE_RECV has no meaning without a listener, and the kernel refuses it
    /// there.
    @Test func flags() throws {
        var profile = Spec.Linux.Seccomp(defaultAction: .allow)
        #expect(try SeccompCompiler.compile(profile).flags == 0)
        profile.flags = [.tsync, .log]
        #expect(try SeccompCompiler.compile(profile).flags == 3)
        profile.flags = [.specAllow, .waitKillableReceive]
        #expect(try SeccompCompiler.compile(profile).flags == 4)
    }

    /// Names that are no calls, and architectures of other machines.
    @Test func ignored() throws {
        let plain = try Fixtures.seccomp(
            #"{"defaultAction": "SCMP_ACT_KILL", "syscalls": [{"names": ["write"], "action": "SCMP_ACT_ALLOW"}]}"#
        )
        let noisy = try Fixtures.seccomp(
            #"""
            {"defaultAction": "SCMP_ACT_KILL", "architectures": ["SCMP_ARCH_S390X", "SCMP_ARCH_M68K"], "syscalls": [
             {"names": ["", "no_such_call", "READ", "write"], "action": "SCMP_ACT_ALLOW"}]}
            """#)
        #expect(try SeccompCompiler.compile(plain) == SeccompCompiler.compile(noisy))
    }
}
