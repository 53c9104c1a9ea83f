import Foundation
import Testing

@testable import Runtime

@Suite struct WaitStatusTests {
    /// As the kernel tells it of a real process.
    private func status(of script: String) throws -> WaitStatus {
        var pid: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup(script), nil]
        defer { for argument in arguments { free(argument) } }
        // A thread of the tests may have signals blocked.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        try #require(posix_spawn(&pid, "/bin/sh", nil, &attributes, &arguments, nil) == 0)
        var raw: Int32 = 0
        try #require(waitpid(pid, &raw, 0) == pid)
        return WaitStatus(raw: raw)
    }

    @Test(arguments: [0, 1, 42, 127, 128, 255] as [CInt])
    func exit(code: CInt) throws {
        let status = try status(of: "exit \(code)")
        #expect(status.code == code)
        #expect(status.signal == nil)
    }

    @Test(arguments: [1, 6, 9, 15, 34, 64] as [CInt])
    func signal(signal: CInt) throws {
        let status = try status(of: "ulimit -c 0; kill -\(signal) $$")
        #expect(status.code == 128 + signal)
        #expect(status.signal == signal)
    }
}
