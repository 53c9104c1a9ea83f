import Diagnostics
import Foundation
import Linux
import Testing

@testable import Store

/// What is kept of supervised containers, in a temporary place.
@Suite struct StateDirectoryTests {
    private func withDirectories(_ body: (StateDirectory, Store) throws -> Void) throws {
        var template = Array("/tmp/gantry-test-states-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let states = StateDirectory(root: path + "/var/lib/gantry/")
        try body(states, Store(root: path + "/run/gantry", supervised: states))
    }

    private func settings(_ id: String) -> SupervisionSettings {
        SupervisionSettings(id: id, root: "/run/gantry", bundle: "/bundle")
    }

    private func failure(_ body: () throws -> Void) -> Failure? {
        #expect(throws: Failure.self) { try body() }
    }

    private func mode(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func aLife() throws {
        try withDirectories { states, _ in
            #expect(try states.list().isEmpty)
            #expect(failure { _ = try states.open("a") }?.kind == .notFound)
            do {
                let container = try states.create(settings("a"))
                #expect(try container.status() == SupervisionStatus())
                let path = container.path
                #expect(path == states.root + "/a")
            }
            #expect(failure { _ = try states.create(settings("a")) }?.kind == .exists)
            #expect(try states.list() == ["a"])
            let container = try states.open("a")
            #expect(try container.settings() == settings("a"))
            var status = SupervisionStatus()
            status.run = 3
            status.end = .init(exitCode: 137, signal: 9, time: 5)
            try container.setStatus(status)
            #expect(try container.status() == status)
            let before = container.isPresent()
            #expect(before)
            try FileManager.default.createDirectory(
                atPath: container.path + "/logs/old", withIntermediateDirectories: true)
            try Data("x".utf8).write(to: URL(fileURLWithPath: container.path + "/logs/old/container.log"))
            try container.remove()
            let after = container.isPresent()
            #expect(!after)
            #expect(try states.list().isEmpty)
            try container.remove()
        }
    }

    @Test func allIsItsOwnersAlone() throws {
        try withDirectories { states, _ in
            let container = try states.create(settings("a"))
            try container.setStatus(SupervisionStatus())
            container.note("something")
            #expect(try mode(states.root) == 0o700)
            #expect(try mode(states.root + "/a") == 0o700)
            for file in ["settings.json", "status.json", "messages"] {
                #expect(try mode(states.root + "/a/" + file) == 0o600, "\(file)")
            }
        }
    }

    /// IDs are names of directories.
    @Test(arguments: ["", "..", "a/b", "../a"])
    func otherNamesAreRefused(id: String) throws {
        try withDirectories { states, store in
            #expect(failure { _ = try states.create(settings(id)) }?.kind == .usage)
            #expect(failure { _ = try states.open(id) }?.kind == .usage)
            #expect(failure { _ = try store.revive(id) }?.kind == .usage)
        }
    }

    /// A making that was cut off can be told from a container, and removed.
    @Test func aBegunOneHasNoSettings() throws {
        try withDirectories { states, _ in
            _ = try states.create(settings("other"))
            try FileManager.default.createDirectory(
                atPath: states.root + "/a", withIntermediateDirectories: true)
            let begun = try states.open("a")
            #expect(failure { _ = try begun.settings() }?.kind == .notFound)
            try begun.remove()
            #expect(try states.list() == ["other"])
        }
    }

    @Test func damageIsTold() throws {
        try withDirectories { states, _ in
            let container = try states.create(settings("a"))
            for file in ["settings.json", "status.json"] {
                try Data("{\"version\":1".utf8).write(to: URL(fileURLWithPath: container.path + "/" + file))
            }
            #expect(failure { _ = try container.settings() }?.description.contains("settings.json") == true)
            #expect(failure { _ = try container.status() }?.description.contains("status.json") == true)
        }
    }

    @Test func messagesAreLinesWithTheirTime() throws {
        try withDirectories { states, _ in
            let container = try states.create(settings("a"))
            #expect(try container.messages() == "")
            container.note("the disk is full")
            container.note("two\nlines")
            let lines = try container.messages().split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.first?.hasSuffix("Z the disk is full") == true)
            #expect(lines.last?.hasSuffix("Z two lines") == true)
        }
    }

    @Test func messagesDoNotGrowForEver() throws {
        try withDirectories { states, _ in
            let container = try states.create(settings("a"))
            for number in 0..<300 { container.note("\(number) " + String(repeating: "x", count: 1000)) }
            let messages = try container.messages()
            #expect(messages.utf8.count <= 65 << 10)
            let lines = messages.split(separator: "\n")
            #expect(lines.count > 40)
            #expect(lines.allSatisfy { $0.hasPrefix("20") && $0.hasSuffix("xx") })
            #expect(lines.last?.contains("Z 299 ") == true)
        }
    }

    /// A supervised container outlives the boot that it ran in, and so does its ID.
    @Test func idsStayTakenOverAReboot() throws {
        try withDirectories { states, store in
            _ = try states.create(settings("web"))
            #expect(failure { _ = try store.create("web") }?.kind == .exists)
            _ = try store.create("other")
            #expect(failure { _ = try store.create("web") }?.kind == .exists)
            #expect(failure { _ = try store.open("web") }?.kind == .notFound)
            #expect(failure { _ = try store.openLocked("web") }?.kind == .notFound)
            do {
                let entry = try store.revive("web")
                #expect(try entry.record() == nil)
                let path = entry.path
                #expect(path == store.root + "/web")
            }
            #expect(failure { _ = try store.create("web") }?.kind == .exists)
            let entry = try store.revive("web")
            try entry.remove()
            _ = try store.create("web")
        }
    }

    @Test func aRootIsRevivedToo() throws {
        try withDirectories { states, store in
            _ = try states.create(settings("web"))
            let entry = try store.revive("web")
            #expect(try store.list() == ["web"])
            try entry.remove()
            #expect(try store.list().isEmpty)
        }
    }
}
