import Diagnostics
import Foundation
import Linux
import Testing

@testable import Store

/// The state directory, in a temporary place.
@Suite struct StoreTests {
    /// Runs the body with a store whose root does not exist yet.
    private func withStore(_ body: (Store) throws -> Void) throws {
        var template = Array("/tmp/gantry-test-store-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(Store(root: path + "/deep/er/root"))
    }

    private func record(_ id: String) -> Record {
        Record(
            id: id, bundle: "/b", rootfs: "/b/rootfs", created: 1, ownerUID: 0, annotations: [],
            hasPidNamespace: true, hasKeyring: true, cgroups: [])
    }

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    /// What `body` throws, as a sentence.
    private func failure(_ body: () throws -> Void) -> Failure? {
        #expect(throws: Failure.self) { try body() }
    }

    @Test func aLife() throws {
        try withStore { store in
            #expect(try store.list().isEmpty)
            do {
                let entry = try store.create("a")
                #expect(try entry.record() == nil)
                #expect(try entry.initRecord() == nil)
                try entry.begin(record("a"), config: Array("{}".utf8))
                try entry.setInit(InitRecord(pid: 7, startTime: 8))
            }
            #expect(try store.list() == ["a"])
            let entry = try store.open("a")
            #expect(try entry.record() == record("a"))
            #expect(try entry.initRecord() == InitRecord(pid: 7, startTime: 8))
            #expect(try entry.config() == Array("{}".utf8))
            try entry.lock()
            try entry.remove()
            #expect(try store.list().isEmpty)
            #expect(failure { _ = try store.open("a") }?.kind == .notFound)
        }
    }

    /// The annotations and environment in it are nobody else's business.
    @Test func allIsItsOwnersAlone() throws {
        let before = umask(0)
        defer { umask(before) }
        try withStore { store in
            let entry = try store.create("a")
            try entry.begin(record("a"), config: [])
            #expect(try mode(store.root) == 0o700)
            #expect(try mode(store.root + "/a") == 0o700)
            #expect(try mode(store.root + "/a/state.json") == 0o600)
            #expect(try mode(store.root + "/a/config.json") == 0o600)
        }
    }

    /// A slash at the end does not make the root somebody else's.
    @Test(arguments: ["", "/", "//"])
    func rootIsPrivateHoweverItIsWritten(suffix: String) throws {
        try withStore { store in
            _ = try Store(root: store.root + suffix).create("a")
            #expect(try mode(store.root) == 0o700)
            #expect(try store.list() == ["a"])
        }
    }

    @Test func anIDIsTakenOnce() throws {
        try withStore { store in
            do { _ = try store.create("a") }
            let failure = failure { _ = try store.create("a") }
            #expect(failure?.kind == .exists)
            #expect(failure?.message == "container with given ID already exists")
        }
    }

    /// Of many that want one ID at the same time one gets it; the root is made by whoever comes first.
    @Test func anIDIsTakenOnceByManyAtOnce() throws {
        try withStore { store in
            for round in 0..<20 {
                let taken = Counter()
                DispatchQueue.concurrentPerform(iterations: 8) { _ in
                    if (try? store.create("a\(round)")) != nil { taken.increment() }
                }
                #expect(taken.value == 1)
            }
        }
    }

    /// A gantry that was killed between two steps leaves an entry without a record, or with half a file
    /// beside.
    @Test func halfWrittenEntriesCanBeRemoved() throws {
        try withStore { store in
            for (id, files) in [
                ("nothing", []), ("config", ["config.json"]), ("record", ["config.json", "state.json.new"]),
                ("begun", ["config.json", "state.json", "start.sock", "init.new"]), ("other", ["x", ".y"]),
            ] {
                let path = store.root + "/" + id
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                for file in files { try Data("{".utf8).write(to: URL(filePath: path + "/" + file)) }
                let entry = try store.open(id)
                try entry.lock()
                if id != "begun" { #expect(try entry.record() == nil) }
                #expect(try entry.initRecord() == nil)
                try entry.remove()
                #expect(!FileManager.default.fileExists(atPath: path))
            }
        }
    }

    /// An entry without a record is of somebody who makes it now, or of somebody who was killed: not ours.
    @Test func aBegunEntryKeepsItsID() throws {
        try withStore { store in
            try FileManager.default.createDirectory(
                atPath: store.root + "/a", withIntermediateDirectories: true)
            #expect(failure { _ = try store.create("a") }?.kind == .exists)
        }
    }

    @Test func missingConfigIsTold() throws {
        try withStore { store in
            let entry = try store.create("a")
            #expect(
                failure { _ = try entry.config() }?.description == store.root + "/a/config.json: is missing")
        }
    }

    /// Whoever waited for the lock of a removed container must not take the empty directory for one, nor
    /// touch the container that has its name now.
    @Test func theLockOfARemovedContainerIsWorthNothing() throws {
        try withStore { store in
            do { _ = try store.create("a") }
            let late = try store.open("a")
            #expect(try late.isPresent())
            do {
                let entry = try store.openLocked("a")
                try entry.remove()
            }
            try late.lock()
            #expect(try !late.isPresent())
            #expect(failure { _ = try store.openLocked("a") }?.description == "container does not exist")

            do { _ = try store.create("a") }
            #expect(try !late.isPresent())
            #expect(try store.openLocked("a").isPresent())
        }
    }

    /// Threads that delete and create one ID as fast as they can: none ever gets the lock of a container that
    /// is not there, or of one that is another's.
    @Test func createAndRemoveInARace() throws {
        try withStore { store in
            let created = Counter()
            let removed = Counter()
            DispatchQueue.concurrentPerform(iterations: 6) { number in
                for _ in 0..<200 {
                    if number % 2 == 0 {
                        guard let entry = try? store.create("a") else { continue }
                        #expect(throws: Never.self) { try entry.begin(record("a"), config: []) }
                        created.increment()
                    } else if let entry = try? store.openLocked("a") {
                        if (try? entry.record()) != nil { removed.increment() }
                        #expect(throws: Never.self) { try entry.remove() }
                    }
                }
            }
            if let entry = try? store.openLocked("a") {
                removed.increment()
                try entry.remove()
            }
            #expect(created.value == removed.value)
        }
    }

    @Test func theLockIsExclusive() throws {
        try withStore { store in
            let first = try store.create("a")
            let second = try store.open("a")
            #expect(failure { try second.lock(milliseconds: 30) }?.kind == .system)
            _ = consume first
            try second.lock(milliseconds: 30)
        }
    }

    /// Things in the root that are no containers.
    @Test func strangersInTheRoot() throws {
        try withStore { store in
            do { for id in ["b", "a", "B"] { _ = try store.create(id) } }
            try Data().write(to: URL(filePath: store.root + "/a file.txt"))
            try FileManager.default.createSymbolicLink(
                atPath: store.root + "/link", withDestinationPath: store.root + "/a")
            #expect(try store.list().filter { $0 != "link" } == ["B", "a", "b"])
            #expect(failure { _ = try store.open("link") } != nil)
        }
    }

    /// Files of the entry are never followed: whoever can write there could point them anywhere.
    @Test func linksInAnEntryAreNotFollowed() throws {
        try withStore { store in
            let entry = try store.create("a")
            let victim = store.root + "/victim"
            try Data("x".utf8).write(to: URL(filePath: victim))
            try FileManager.default.createSymbolicLink(
                atPath: store.root + "/a/state.json", withDestinationPath: victim)
            #expect(failure { _ = try entry.record() } != nil)
            try FileManager.default.createSymbolicLink(
                atPath: store.root + "/a/config.json", withDestinationPath: victim)
            #expect(failure { try entry.begin(record("a"), config: []) } != nil)
            #expect(try Data(contentsOf: URL(filePath: victim)) == Data("x".utf8))
        }
    }

    /// The start socket works for an ID of 255 bytes in a deep root, where its path is longer than an
    /// address.
    @Test func startSocketOfALongID() throws {
        try withStore { store in
            let id = String(repeating: "i", count: 255)
            let entry = try store.create(id)
            #expect(try entry.connectToInit() == nil)
            do {
                let listener = try entry.listenForStart()
                #expect(listener.raw >= 0)
                #expect(try entry.connectToInit() != nil)
            }
            // The socket's file outlives its listener.
            #expect(try eventually { try entry.connectToInit() == nil })
            try entry.remove()
        }
    }

    /// More who ask at once than the queue holds, or a frozen init: a full queue still is an answer.
    @Test func aFullQueueSaysThatTheInitWaits() throws {
        try withStore { store in
            let entry = try store.create("a")
            let listener = try entry.listenForStart()
            for _ in 0..<64 { #expect(try entry.isInitWaiting()) }
            #expect(failure { _ = try entry.connectToInit(milliseconds: 20) }?.kind == .system)
            _ = consume listener
            #expect(try eventually { try !entry.isInitWaiting() })
        }
    }

    /// Another test's child has our descriptors, too, from its fork to its exec: a listener may outlive its owner for
    /// a moment.
    private func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
        let deadline = Date().addingTimeInterval(30)
        while Date() < deadline {
            if try condition() { return true }
            usleep(1000)
        }
        return false
    }
}

/// A number that threads count together.
private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    var value: Int { lock.withLock { count } }

    func increment() {
        lock.withLock { count += 1 }
    }
}
