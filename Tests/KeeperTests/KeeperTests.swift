import CKeeper
import CLinux
import Diagnostics
import Foundation
import Keeper
import Linux
import Testing

/// `#require` for what cannot be copied.
private func present<Value: ~Copyable>(_ value: consuming Value?) throws -> Value {
    guard let value = consume value else { throw Absent() }
    return value
}

private struct Absent: Error {}

/// A real keeper, whose children are programs of the host.
@Suite(.timeLimit(.minutes(3))) struct KeeperTests {
    /// Its directory, and a connection.
    struct World: ~Copyable {
        let directory: String
        var keeper: KeeperConnection

        init() throws {
            directory = NSTemporaryDirectory() + "gantry-keeper-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            keeper = try KeeperConnection.start(id: "test", directory: directory)
        }

        deinit {
            try? FileManager.default.removeItem(atPath: directory)
        }

        /// Starts a shell through the keeper.
        mutating func shell(_ script: String, streams: [CInt]? = nil) throws -> Int32 {
            let shell = try Descriptor.open("/bin/sh", O.readOnly)
            let nothing = try Descriptor.open("/dev/null", O.readWrite)
            let spawned = try keeper.spawn(
                executable: shell.raw, words: ["sh", "-c", script],
                streams: streams ?? [nothing.raw, nothing.raw, nothing.raw], others: [])
            return spawned.pid
        }
    }

    /// A pipe: the end to read from, the end to write to.
    struct Pipe: ~Copyable {
        let reading: Descriptor
        let writing: Descriptor

        init() throws {
            var ends: [CInt] = [-1, -1]
            try #require(clinux_pipe(&ends) == 0)
            reading = Descriptor(adopting: ends[0])
            writing = Descriptor(adopting: ends[1])
        }
    }

    private func parent(of pid: Int32) throws -> Int32 {
        let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        return Int32(stat.split(separator: ")").last!.split(separator: " ")[1])!
    }

    private func isGone(_ pid: Int32) -> Bool { !FileManager.default.fileExists(atPath: "/proc/\(pid)") }

    /// The keeper is a child of this process, which does not reap it.
    private func hasEnded(_ pid: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
            return true
        }
        return stat.split(separator: ")").last!.hasPrefix(" Z")
    }

    private func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<6000 {
            if try condition() { return true }
            usleep(10_000)
        }
        return false
    }

    /// Who was connected before learns it from the answer, as `start` of a container whose keeper is about to go.
    @Test func oneThatHasEndedIsNoFailure() throws {
        var world = try World()
        let pid = try #require(try world.keeper.ask()).keeper
        var other = try present(try KeeperConnection.connect(directory: world.directory))
        try world.keeper.end()
        #expect(eventually { hasEnded(pid) })
        #expect(try other.ask() == nil)
    }

    @Test func itTellsHowChildrenEnd() throws {
        var world = try World()
        let first = try world.shell("exit 3")
        try world.keeper.watch(first, as: CKEEPER_EXEC)
        let second = try world.shell("kill -TERM $$")
        try world.keeper.watch(second, as: CKEEPER_CONTAINER)
        let last = try #require(try world.keeper.waitForExit(of: second))
        let exit = try #require(try world.keeper.waitForExit(of: first))
        #expect(exit.status == 3 << 8 && exit.kind == CKEEPER_EXEC.rawValue)
        #expect(last.status == 15 && last.run == 1 && last.ended >= last.started)
        let state = try #require(try world.keeper.ask())
        #expect(state.run == 1 && state.lives == 0 && state.container.status == 15)
        try world.keeper.end()
    }

    /// Children that have ended before anybody says that they matter are not lost; others leave no zombie.
    @Test func nothingIsReapedWhileItMayBeWanted() throws {
        var world = try World()
        let pid = try world.shell("exit 9")
        usleep(200_000)
        try world.keeper.watch(pid, as: CKEEPER_CONTAINER)
        #expect(try world.keeper.waitForExit(of: pid)?.status == 9 << 8)

        let other = try present(try KeeperConnection.connect(directory: world.directory))
        var unwanted = other
        let shell = try Descriptor.open("/bin/true", O.readOnly)
        let spawned = try unwanted.spawn(executable: shell.raw, words: ["true"], streams: [], others: [])
        let number = spawned.pid
        #expect(!isGone(number))
        _ = consume unwanted
        #expect(eventually { isGone(number) })
        try world.keeper.end()
    }

    /// A launcher that has ended has started what the supervisor has heard of, or nothing.
    @Test func theSupervisorHearsOfAStartFirst() throws {
        var world = try World()
        var supervisor = try present(try KeeperConnection.connect(directory: world.directory))
        try supervisor.becomeSupervisor()
        _ = try Self.state(supervisor)
        for run in UInt32(1)...50 {
            let pid = try world.shell("exit 0")
            try world.keeper.watch(pid, as: CKEEPER_CONTAINER)
            var known: UInt32 = 0
            while case .state(let kept) = try supervisor.nextEvent() { known = kept.state.run }
            #expect(known == run)
            _ = try world.keeper.waitForExit(of: pid)
        }
        _ = consume supervisor
        try world.keeper.end()
    }

    @Test func itAdoptsOrphans() throws {
        var world = try World()
        let pipe = try Pipe()
        let nothing = try Descriptor.open("/dev/null", O.readWrite)
        let input = try Pipe()
        let pid = try world.shell(
            "sleep 0.2 & echo $!; read line", streams: [input.reading.raw, pipe.writing.raw, nothing.raw])
        try world.keeper.watch(pid, as: CKEEPER_CONTAINER)
        let keeper = try parent(of: pid)
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = clinux_read(pipe.reading.raw, &buffer, 32)
        let orphan = try #require(Int32(String(decoding: buffer[..<max(0, count - 1)], as: UTF8.self)))
        _ = clinux_kill(pid, SIGKILL)
        _ = try world.keeper.waitForExit(of: pid)
        if let found = try? parent(of: orphan) { #expect(found == keeper) }
        #expect(eventually { isGone(orphan) })
        try world.keeper.end()
        #expect(eventually { hasEnded(keeper) })
    }

    @Test func descriptorsGetTheirNumbers() throws {
        var world = try World()
        let out = try Pipe()
        let extra = try Pipe()
        let nothing = try Descriptor.open("/dev/null", O.readWrite)
        let shell = try Descriptor.open("/bin/sh", O.readOnly)
        _ = "hello".utf8.withContiguousStorageIfAvailable {
            clinux_write(extra.writing.raw, $0.baseAddress!, 5)
        }
        let spawned = try world.keeper.spawn(
            executable: shell.raw, words: ["sh", "-c", "head -c 5 /proc/self/fd/%a; exec ls /proc/self/fd"],
            streams: [nothing.raw, out.writing.raw, out.writing.raw, nothing.raw], others: [extra.reading.raw]
        )
        try world.keeper.watch(spawned.pid, as: CKEEPER_CONTAINER)
        #expect(try world.keeper.waitForExit(of: spawned.pid)?.status == 0)
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = clinux_read(out.reading.raw, &buffer, 64)
        let text = String(decoding: buffer[..<max(count, 0)], as: UTF8.self)
        #expect(text.hasPrefix("hello"))
        let numbers = text.dropFirst(5).split(separator: "\n")
        #expect(["0", "1", "2", "3"].allSatisfy { numbers.contains($0) })
        // And the one that was named, and the directory.
        #expect(numbers.count == 6, "\(text)")
        try world.keeper.end()
    }

    @Test func whatCannotBeStartedIsToldWhy() throws {
        var world = try World()
        let directory = try Descriptor.open("/proc/version", O.readOnly)
        var failure: Failure?
        do {
            _ = try world.keeper.spawn(executable: directory.raw, words: ["x"], streams: [], others: [])
        } catch {
            failure = error
        }
        #expect(failure?.cause?.errno.rawValue == EACCES)
        #expect(throws: Failure.self) { try world.keeper.watch(1, as: CKEEPER_EXEC) }
    }

    private static func next(_ keeper: borrowing KeeperConnection) throws -> KeeperEvent {
        _ = clinux_wait_readable(keeper.socket.raw, -1, 30_000)
        return try keeper.nextEvent()
    }

    private static func state(_ keeper: borrowing KeeperConnection) throws -> KeptState {
        switch try next(keeper) {
        case .state(let state): return state
        default: throw Surprise()
        }
    }

    struct Surprise: Error {}

    /// Output goes into the shared memory with the time at which it came, in order, also more than there is room for.
    @Test func outputIsRead() throws {
        var world = try World()
        let out = try Pipe()
        let errors = try Pipe()
        let input = try Pipe()
        try world.keeper.keep(stdin: input.writing.raw, stdout: out.reading.raw, stderr: errors.reading.raw)
        let before = clinux_realtime()
        let pid = try world.shell(
            "echo one; echo two >&2; read line; echo $line; seq 1 200000",
            streams: [input.reading.raw, out.writing.raw, errors.writing.raw])
        _ = consume out
        _ = consume errors
        try world.keeper.watch(pid, as: CKEEPER_CONTAINER)
        let socket = try present(try KeeperConnection.connect(directory: world.directory))
        try socket.becomeSupervisor()
        var kept = try Self.state(socket)
        let stdin = try present(kept.stdin.take())
        let memory = try present(kept.memory.take())
        let ring = try OutputRing(memory: memory, room: kept.room.take())
        let output = try present(kept.output.take())

        #expect(eventually { ring.available(0) == 4 && ring.available(1) == 4 })
        #expect(String(decoding: ring.bytes(1, from: 0), as: UTF8.self) == "two\n")
        let arrival = ring.arrival(0, of: 3)
        #expect(arrival.time >= before && arrival.time <= clinux_realtime())
        _ = "three\n".utf8.withContiguousStorageIfAvailable { clinux_write(stdin.raw, $0.baseAddress!, 6) }

        var text: [UInt8] = []
        while !(ring.hasEnded(0) && ring.available(0) == 0) {
            ring.setSleeping(true)
            if ring.available(0) == 0, !ring.hasEnded(0) {
                #expect(clinux_wait_readable(output.raw, -1, 30_000) != 0)
                _ = clinux_eventfd_read(output.raw)
            }
            ring.setSleeping(false)
            let piece = ring.bytes(0, from: ring.tail(0))
            text.append(contentsOf: piece)
            ring.consume(0, to: ring.tail(0) + UInt64(piece.count))
        }
        let expected = "one\nthree\n" + (1...200_000).map { "\($0)\n" }.joined()
        #expect(text == Array(expected.utf8))
        #expect(eventually { ring.hasEnded(1) })
        #expect(try world.keeper.waitForExit(of: pid)?.status == 0)
        // An exec's end is told when there is a supervisor to tell.
        let exec = try world.shell("exit 4")
        try world.keeper.watch(exec, as: CKEEPER_EXEC)
        var told = false
        while !told {
            switch try Self.next(socket) {
            case .exited(let exit): told = exit.pid == exec && exit.status == 4 << 8
            case .state(let state): #expect(state.state.lives == 0)
            default: throw Surprise()
            }
        }
        _ = consume socket
        try world.keeper.end()
    }

    /// A supervisor that dies is started again; one that is to be replaced is told to leave.
    @Test func supervisorsAreRenewed() throws {
        var world = try World()
        let pid = try world.shell("exec sleep 1000")
        try world.keeper.watch(pid, as: CKEEPER_CONTAINER)
        let marker = world.directory + "/starts"
        let words = ["/bin/sh", "-c", "echo start $GREETING >> \(marker); exec sleep 1000"]
        try world.keeper.supervise(words: words, environment: ["GREETING=hello", "PATH=/usr/bin:/bin"])
        func starts() -> Int {
            (try? String(contentsOfFile: marker, encoding: .utf8))?.split(separator: "\n").count ?? 0
        }
        #expect(eventually { starts() == 1 })
        let first = try #require(try world.keeper.ask()).supervisor
        #expect(try parent(of: first) == parent(of: pid))
        _ = clinux_kill(first, SIGKILL)
        #expect(eventually { starts() == 2 })
        var keeper = try present(try KeeperConnection.connect(directory: world.directory))
        try keeper.supervise(words: words, environment: ["PATH=/usr/bin:/bin"], renew: true)
        #expect(eventually { starts() == 3 })
        let last = try #require(try keeper.ask())
        #expect(last.supervisors == 3 && last.supervisor != first)
        // Not while the container lives.
        #expect(throws: Failure.self) { try keeper.end(milliseconds: 1000) }
        _ = clinux_kill(pid, SIGKILL)
        _ = try world.keeper.waitForExit(of: pid)
        try world.keeper.end()
        #expect(eventually { isGone(last.supervisor) })
    }

    /// The first asker has gone before there was a container: there is nothing to keep.
    @Test func aKeeperWithoutAContainerEnds() throws {
        var world = try World()
        let pid = try world.shell("sleep 1000")
        let keeper = try parent(of: pid)
        _ = clinux_kill(pid, SIGKILL)
        let directory = world.directory
        _ = consume world
        #expect(eventually { hasEnded(keeper) })
        try? FileManager.default.removeItem(atPath: directory)
    }
}
