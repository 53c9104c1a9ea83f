import Diagnostics
import Foundation
import Linux
import Store
import Testing

@testable import Runtime

/// A container's status follows from its record, its process and its start socket. The processes here are
/// real ones of the host; nothing is run in a container.
@Suite struct LiveContainerTests {
    private func withStore(_ body: (Store) throws -> Void) throws {
        var template = Array("/tmp/gantry-test-live-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(Store(root: path + "/state"))
    }

    /// Makes the entry `a`, and records the process.
    private func make(_ store: Store, _ process: InitRecord?) throws {
        let entry = try store.create("a")
        let record = Record(
            id: "a", bundle: "/b", rootfs: "/b/rootfs", created: 1, ownerUID: 0, annotations: [],
            hasPidNamespace: true, hasKeyring: true, cgroups: [])
        try entry.begin(record, config: Array("{}".utf8))
        if let process { try entry.setInit(process) }
    }

    private func status(_ store: Store) throws -> Status {
        try LiveContainer.look(try store.open("a")).status
    }

    private func sleeper() throws -> Process {
        try Process.run(URL(filePath: "/bin/sleep"), arguments: ["30"])
    }

    /// Not SIGTERM: a thread of the tests may have it blocked, and its children inherit that.
    private func end(_ process: Process) {
        kill(process.processIdentifier, SIGKILL)
    }

    private func record(_ pid: Int32) throws -> InitRecord {
        InitRecord(pid: pid, startTime: try #require(try ProcessStat.read(pid)).startTime)
    }

    @Test func creatingWithoutAProcess() throws {
        try withStore { store in
            do { _ = try store.create("a") }
            #expect(try status(store) == .creating)
            #expect(try LiveContainer.look(try store.open("a")).report == nil)
        }
        try withStore { store in
            try make(store, nil)
            #expect(try status(store) == .creating)
            #expect(try LiveContainer.look(try store.open("a")).report?.pid == 0)
        }
    }

    @Test func runningWhileTheProcessIs() throws {
        try withStore { store in
            let process = try sleeper()
            try make(store, try record(process.processIdentifier))
            #expect(try status(store) == .running)
            let live = try LiveContainer.look(try store.open("a"))
            #expect(live.report?.pid == process.processIdentifier)
            #expect(try live.openProcess() != nil)
            end(process)
            process.waitUntilExit()
            #expect(try status(store) == .stopped)
            // Seen before its end, opened after it.
            #expect(try live.openProcess() == nil)
        }
    }

    /// A process that has ended and that nobody has asked for its status.
    @Test func aZombieHasStopped() throws {
        try withStore { store in
            var pid: pid_t = 0
            var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/true"), nil]
            try #require(posix_spawn(&pid, "/bin/true", nil, nil, &arguments, nil) == 0)
            try make(store, try record(pid))
            var info = siginfo_t()
            waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT)
            #expect(try status(store) == .stopped)
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            free(arguments[0])
        }
    }

    @Test func anotherProcessWithItsNumber() throws {
        try withStore { store in
            let process = try sleeper()
            defer { end(process) }
            let other = try record(process.processIdentifier)
            try make(store, InitRecord(pid: other.pid, startTime: other.startTime - 1))
            let live = try LiveContainer.look(try store.open("a"))
            #expect(live.status == .stopped)
            #expect(live.report?.pid == 0)
            #expect(try live.openProcess() == nil)
        }
    }

    @Test func createdWhileTheInitListens() throws {
        try withStore { store in
            let process = try sleeper()
            defer { end(process) }
            try make(store, try record(process.processIdentifier))
            do {
                let entry = try store.open("a")
                let listener = try entry.listenForStart()
                #expect(listener.raw >= 0)
                #expect(try status(store) == .created)
            }
            #expect(try status(store) == .running)
        }
    }

    @Test func goneIsNotFound() throws {
        try withStore { store in
            try make(store, nil)
            let late = try store.open("a")
            do { try store.openLocked("a").remove() }
            do throws(Failure) {
                _ = try LiveContainer.look(late)
                Issue.record("a removed container was seen")
            } catch {
                #expect(error.kind == .notFound)
            }
        }
    }
}
