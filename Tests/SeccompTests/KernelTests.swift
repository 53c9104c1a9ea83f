import Foundation
import OCI
import Testing

@testable import Seccomp

/// The kernel takes the filters and obeys them: a small C program loads one and reports what calls return.
@Suite struct KernelTests {
    private static let helper = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <linux/filter.h>
        #include <linux/seccomp.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/prctl.h>
        #include <sys/syscall.h>
        #include <sys/wait.h>
        #include <unistd.h>
        // usage: helper FILTER FLAGS {NUMBER ARG0}...: per call one line, errno (0: success) or "signal N"
        int main(int argc, char **argv) {
            static struct sock_filter code[4096];
            FILE *file = fopen(argv[1], "r");
            struct sock_fprog program = {fread(code, sizeof *code, 4096, file), code};
            for (int i = 3; i + 1 < argc; i += 2) {
                fflush(stdout);
                pid_t pid = fork();
                if (pid == 0) {
                    long number = strtoul(argv[i], 0, 0), argument = strtoull(argv[i + 1], 0, 0);
                    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
                    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, atoi(argv[2]), &program)) _exit(200);
                    long result = syscall(number, argument, 0, 0, 0, 0, 0);
                    syscall(SYS_exit_group, result == -1 ? errno : 0);
                }
                int status;
                waitpid(pid, &status, 0);
                if (WIFSIGNALED(status)) printf("signal %d\\n", WTERMSIG(status));
                else printf("%d\\n", WEXITSTATUS(status));
            }
        }
        """

    /// Loads the filter of `profile` and makes each call in a process of its own.
    private func results(_ profile: Spec.Linux.Seccomp, _ calls: [(UInt32, UInt64)]) throws -> [String] {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let source = directory.appendingPathComponent("helper.c")
        let program = directory.appendingPathComponent("helper")
        let file = directory.appendingPathComponent("filter")
        try Self.helper.write(to: source, atomically: true, encoding: .utf8)
        let filter = try SeccompCompiler.compile(profile)
        try Data(filter.bytes).write(to: file)
        _ = try run("/usr/bin/cc", ["-o", program.path, source.path])
        let arguments = [file.path, String(filter.flags)] + calls.flatMap { [String($0.0), String($0.1)] }
        return try run(program.path, arguments).split(separator: "\n").map(String.init)
    }

    private func run(_ path: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(path)")
        return String(decoding: output, as: UTF8.self)
    }

    #if arch(x86_64)
        /// getpid 39, personality 135, unshare 272, clone3 435, keyctl 250; EPERM 1, EINVAL 22, ENOSYS 38.
        @Test func dockerDefault() throws {
            let results = try results(
                Fixtures.profile("docker-default"),
                [
                    (39, 0), (135, 0xffff_ffff), (135, 0x4_0000), (272, 0), (435, 0), (250, 0), (999, 0),
                    (0x4000_0001, 0),
                ])
            // The last is x32's write, which the profile allows and a kernel without x32 does not have.
            #expect(Array(results.dropLast()) == ["0", "0", "1", "1", "38", "1", "38"])
            #expect(["38", "14", "9", "0"].contains(results.last!))
        }

        /// reboot 169 with LOG reaches the kernel, which refuses its magic numbers; umask 95; the rest as
        /// rows say.
        @Test func actions() throws {
            let profile = try Fixtures.seccomp(
                """
                {"defaultAction": "SCMP_ACT_ALLOW",
                 "flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
                 "syscalls": [
                  {"names": ["getpid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 100},
                  {"names": ["getuid"], "action": "SCMP_ACT_TRAP"},
                  {"names": ["getgid"], "action": "SCMP_ACT_KILL_PROCESS"},
                  {"names": ["geteuid"], "action": "SCMP_ACT_KILL"},
                  {"names": ["getegid"], "action": "SCMP_ACT_TRACE"},
                  {"names": ["reboot"], "action": "SCMP_ACT_LOG"},
                  {"names": ["umask"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99,
                   "args": [{"index": 0, "value": 240, "valueTwo": 16, "op": "SCMP_CMP_MASKED_EQ"}]}]}
                """)
            let results = try results(
                profile,
                [
                    (39, 0), (102, 0), (104, 0), (107, 0), (108, 0), (169, 0), (95, 0x11f), (95, 0x12f),
                    (110, 0),
                ])
            // SIGSYS is 31; SECCOMP_RET_TRACE without a tracer is ENOSYS.
            #expect(
                results == ["100", "signal 31", "signal 31", "signal 31", "38", "22", "99", "0", "0"])
        }
    #endif
}
