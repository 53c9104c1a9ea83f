import Foundation
import OCI
import Testing

@testable import Seccomp

/// The same answers as the filters that runc loaded (Fixtures/seccomp/*.runc.bpf).
@Suite struct PeerTests {
    #if arch(x86_64)
        @Test(arguments: Fixtures.names(in: "seccomp", ending: ".runc.bpf"))
        func answersAsRunc(_ name: String) throws {
            let profile = try Fixtures.profile(name)
            let ours = try Interpreter(SeccompCompiler.compile(profile).bytes)
            let theirs = try Interpreter(Fixtures.bytes("seccomp/\(name).runc.bpf"))
            let samples = Samples(profile)
            var random = SplitMix(state: 7)
            let arguments = samples.arguments(25, &random)
            var failures = 0
            for architecture in [Call.x86_64, Call.i386, Call.aarch64] {
                for number in Samples.numbers {
                    for list in arguments {
                        let call = Call(architecture: architecture, number: number, arguments: list)
                        let mine = try ours.run(call)
                        var expected = try theirs.run(call)
                        if Self.lacksNativeStub(profile, call), mine == 0x0005_0026 { expected = mine }
                        if Self.isNoCall(profile, call), expected == 0x0005_0026 { expected = mine }
                        if mine == expected { continue }
                        failures += 1
                        if failures < 6 {
                            Issue.record(
                                "\(call): 0x\(String(mine, radix: 16)), runc 0x\(String(expected, radix: 16))"
                            )
                        }
                    }
                }
            }
            #expect(failures == 0)
        }
    #endif

    /// runc 1.1.5 returns ENOSYS for new calls of the listed architectures only; here the machine's own
    /// counts too.
    private static func lacksNativeStub(_ profile: Spec.Linux.Seccomp, _ call: Call) -> Bool {
        call.architecture == Call.x86_64 && call.number < 0x4000_0000
            && !profile.architectures.contains(.x86_64)
    }

    /// Without x32, numbers from 2^30 kill. runc's own check asks for bit 30 alone, so that those of which
    /// bit 31 is set and bit 30 is not get ENOSYS; no kernel ever had a call there.
    private static func isNoCall(_ profile: Spec.Linux.Seccomp, _ call: Call) -> Bool {
        call.number >= 0x8000_0000 && !profile.architectures.contains(.x32)
    }
}
