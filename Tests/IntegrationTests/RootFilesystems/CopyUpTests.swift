import Foundation
import Testing

/// `tmpcopyup`: a tmpfs that starts with what the directory held that it covers.
@Suite(.needsContainers, .timeLimit(minutes: 5))
struct CopyUpTests {
    /// What must be equal in the copy.
    private struct Entry: Equatable, CustomStringConvertible {
        let mode: mode_t
        let owner: [UInt32]
        let device: dev_t
        let size: off_t
        let modified: [Int]
        let link: String?
        let content: Data?

        var description: String {
            "\(String(mode, radix: 8)) \(owner) \(device) \(size) \(modified) \(link ?? "")"
        }

        init(_ path: String) throws {
            var status = stat()
            guard lstat(path, &status) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
            let type = status.st_mode & S_IFMT
            mode = status.st_mode
            owner = [status.st_uid, status.st_gid]
            device = status.st_rdev
            size = type == S_IFDIR ? 0 : status.st_size
            modified = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
            link =
                type == S_IFLNK ? try FileManager.default.destinationOfSymbolicLink(atPath: path) : nil
            content =
                type == S_IFREG && status.st_size < 1 << 20
                ? try Data(contentsOf: URL(filePath: path)) : nil
        }
    }

    /// Everything beneath a directory, by its path from there.
    private func entries(_ directory: String) throws -> [String: Entry] {
        var result: [String: Entry] = [:]
        guard let all = FileManager.default.enumerator(atPath: directory) else { return [:] }
        for case let name as String in all { result[name] = try Entry(directory + "/" + name) }
        return result
    }

    /// Starts the container with a tmpfs on /source and lets the body look from outside at what is at `path` in it.
    private func look(
        _ container: TestContainer, _ options: [String] = ["tmpcopyup"], at path: String = "/source",
        _ body: (String) throws -> Void
    ) async throws {
        try container.addMount("/source", type: "tmpfs", source: "tmpfs", options: options)
        try container.set("process.args", ["/bin/sleep", "600"])
        try await container.succeed(["run", "--detach", "--bundle", container.bundle, container.id])
        try body("/proc/\(try await container.pid())/root\(path)")
    }

    /// A tree with all kinds of files in it.
    private func fill(_ source: String) throws {
        func make(_ name: String, _ text: String, _ mode: mode_t, _ user: uid_t, _ group: gid_t) throws {
            try Rootfs.write(text, to: source + "/" + name, mode: 0o644)
            #expect(chown(source + "/" + name, user, group) == 0)
            #expect(chmod(source + "/" + name, mode) == 0)
        }
        for (name, mode) in [("open", 0o3777), ("open/closed", 0o700), ("setgid", 0o2750), ("empty", 0o511)]
            as [(String, mode_t)]
        {
            #expect(mkdir(source + "/" + name, 0o755) == 0)
            #expect(chown(source + "/" + name, 12, 34) == 0)
            #expect(chmod(source + "/" + name, mode) == 0)
        }
        try make("plain", "text", 0o644, 0, 0)
        try make("program", "#!/bin/sh\n", 0o6755, 1000, 1001)
        try make("open/closed/secret", String(repeating: "x", count: 200_000), 0o400, 7, 8)
        try make("name with spaces\nand a line", "", 0o000, 0, 5)
        symlink("/etc/nowhere", source + "/dangling")
        lchown(source + "/dangling", 21, 22)
        symlink(String(repeating: "long/", count: 800), source + "/long")
        mknod(source + "/device", S_IFCHR | 0o640, 0x107)
        mknod(source + "/block", S_IFBLK | 0o600, 0x701)
        mkfifo(source + "/fifo", 0o620)
        mknod(source + "/socket", S_IFSOCK | 0o755, 0)
        #expect(link(source + "/plain", source + "/hardlink") == 0)
        for name in ["plain", "open/closed/secret", "open/closed", "open", "device", "dangling"] {
            let times = [
                timespec(tv_sec: 981_173_106, tv_nsec: 5), timespec(tv_sec: 1_041_379_200, tv_nsec: 7),
            ]
            #expect(utimensat(AT_FDCWD, source + "/" + name, times, AT_SYMLINK_NOFOLLOW) == 0)
        }
    }

    @Test("every kind of file is there, with its mode, owner, times and content")
    func everything() async throws {
        try await TestContainer.with { container in
            let source = container.rootfs + "/source"
            #expect(mkdir(source, 0o755) == 0)
            try fill(source)
            #expect(chmod(source, 0o1751) == 0)
            let before = try entries(source)
            #expect(before.count == 15)
            try await look(container) { copy in
                let copied = try entries(copy)
                for (name, entry) in before { #expect(copied[name] == entry, "\(name)") }
                #expect(copied.count == before.count)
                #expect(try Entry(copy).mode == S_IFDIR | 0o1751)
            }
            #expect(try entries(source) == before)
        }
    }

    @Test("holes stay holes: a sparse file takes no memory")
    func holes() async throws {
        try await TestContainer.with { container in
            let source = container.rootfs + "/source"
            #expect(mkdir(source, 0o755) == 0)
            let file = open(source + "/sparse", O_CREAT | O_WRONLY, 0o644)
            #expect(pwrite(file, "end", 3, 1 << 30) == 3 && ftruncate(file, 1 << 31) == 0)
            close(file)
            try await look(container, ["tmpcopyup", "size=1m"]) { copy in
                var status = stat()
                #expect(lstat(copy + "/sparse", &status) == 0)
                #expect(status.st_size == 1 << 31 && status.st_blocks < 64)
                let file = open(copy + "/sparse", O_RDONLY)
                var bytes = [UInt8](repeating: 1, count: 5)
                #expect(pread(file, &bytes, 5, (1 << 30) - 1) == 5)
                close(file)
                #expect(bytes == [0] + Array("end".utf8) + [0])
            }
        }
    }

    /// Those that a tmpfs of every kernel keeps.
    @Test("capabilities of a program are kept")
    func attributes() async throws {
        try await TestContainer.with { container in
            let source = container.rootfs + "/source"
            try container.put("x", at: "/source/program")
            // struct vfs_cap_data: revision 2, effective; CAP_NET_BIND_SERVICE.
            let value: [UInt32] = [0x0200_0001, 1 << 10, 0, 0, 0]
            try #require(ExtendedAttribute.set(value, "security.capability", source + "/program"))
            try await look(container) { copy in
                #expect(ExtendedAttribute.get("security.capability", copy + "/program") == value)
            }
        }
    }

    @Test("large and deep directories")
    func large() async throws {
        try await TestContainer.with { container in
            let source = container.rootfs + "/source"
            for outer in 0..<40 {
                for inner in 0..<20 {
                    try container.put("\(outer) \(inner)", at: "/source/directory \(outer)/\(inner)")
                }
                try container.put("", at: "/source/file \(outer) " + String(repeating: "x", count: 200))
            }
            var deep = source
            for _ in 0..<100 { deep += "/d" }
            try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
            let before = try entries(source)
            try await look(container) { copy in
                let copied = try entries(copy)
                #expect(copied == before)
            }
        }
    }

    @Test("what another mount is on is there, and empty")
    func mountPoints() async throws {
        try await TestContainer.with { container in
            let outside = try container.makeOutside()
            try Rootfs.write("text", to: outside + "/file", mode: 0o644)
            try container.put("x", at: "/source/here/file")
            try container.addMount("/source/volume", type: "bind", source: outside, options: ["bind"])
            try container.addMount(
                "/source/mounted", type: "bind", source: outside + "/file", options: ["bind"])
            try container.addMount("/source/proc", type: "proc", source: "proc")
            try await look(container) { copy in
                let copied = try entries(copy)
                #expect(copied.keys.sorted() == ["here", "here/file", "mounted", "proc", "volume"])
                #expect(copied["mounted"]?.content == Data())
                #expect(copied["volume"]?.link == nil && copied["volume"]?.content == nil)
            }
        }
    }

    @Test("a missing directory is made, one that the image leads elsewhere is the image's, ro comes last")
    func others() async throws {
        try await TestContainer.with { container in
            try await look(container, ["ro", "tmpcopyup", "mode=0711"]) { copy in
                let (copied, top) = (try entries(copy), try Entry(copy))
                #expect(copied.isEmpty && top.mode == S_IFDIR | 0o711)
            }
        }
        try await TestContainer.with { container in
            try container.put("x", at: "/etc/inside/file")
            try container.link("/source", to: "../../../../../../etc/inside")
            try await look(container, ["ro", "tmpcopyup"], at: "/etc/inside") { copy in
                let copied = try entries(copy)
                #expect(copied.keys.sorted() == ["file"])
                #expect(mkdir(copy + "/new", 0o755) == -1 && errno == EROFS)
            }
        }
    }

    @Test("CVE-2021-30465: a directory that is swapped with a symlink meanwhile never leads to the host")
    func swapped() async throws {
        let script = "find /source -name secret; cat /source/swapped/secret 2>/dev/null; true"
        try await TestContainer.with(["/bin/sh", "-c", script]) { container in
            let outside = try container.makeOutside()
            try Rootfs.write("secret", to: outside + "/secret", mode: 0o644)
            try container.put("x", at: "/source/swapped/file")
            try container.link("/source/link", to: "../../../../../../../../.." + outside)
            try container.addMount("/source", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"])
            let companion = try Companion(
                Programs.exchange, container.rootfs + "/source/swapped", container.rootfs + "/source/link")
            for _ in 0..<Soak.rounds(15, soak: 500) {
                let outcome = try await container.run()
                #expect(outcome.stdout.isEmpty, "\(outcome)")
                #expect(outcome.code == 0 || outcome.isOneSentence, "\(outcome)")
            }
            #expect(try await companion.stop())
        }
    }

    @Test("what does not fit is told, and nothing is left")
    func full() async throws {
        try await TestContainer.with { container in
            try container.put(String(repeating: "x", count: 200_000), at: "/source/a/large")
            try container.addMount(
                "/source", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=64k"])
            let index = container.mounts.count - 1
            try await Refusal.check(
                container, "create",
                says: "mounts[\(index)]: cannot copy what /source holds into the tmpfs that goes on it"
                    + " (the tmpfs is too small: options size and nr_inodes): copy /source/a/large:"
                    + " no space left on device")
        }
    }

    @Test("directories that are nested too deeply are told, and nothing is left")
    func tooDeep() async throws {
        try await TestContainer.with { container in
            var deep = container.rootfs + "/source"
            for _ in 0..<300 { deep += "/d" }
            try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
            try container.addMount("/source", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"])
            let index = container.mounts.count - 1
            try await Refusal.check(
                container, "create", through: ["/bin/sh", "-c", "ulimit -n 200; exec \"$@\"", "sh"],
                says: "mounts[\(index)]: cannot copy what /source holds into the tmpfs that goes on it"
                    + " (its directories are nested deeper than the limit on open files allows):"
                    + " copy /source/d/d…: too many open files")
        }
    }
}

/// setxattr(2) and getxattr(2), which the C library's module hides.
private enum ExtendedAttribute {
    private typealias Set =
        @convention(c) (
            UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer, Int, CInt
        ) -> CInt
    private typealias Get =
        @convention(c) (
            UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer, Int
        ) -> Int

    static func set(_ value: [UInt32], _ name: String, _ path: String) -> Bool {
        let call = unsafeBitCast(dlsym(nil, "setxattr"), to: Set.self)
        return call(path, name, value, value.count * 4, 0) == 0
    }

    static func get(_ name: String, _ path: String) -> [UInt32] {
        var value = [UInt32](repeating: 0, count: 16)
        let size = unsafeBitCast(dlsym(nil, "getxattr"), to: Get.self)(path, name, &value, 64)
        return Array(value.prefix(max(size, 0) / 4))
    }
}
