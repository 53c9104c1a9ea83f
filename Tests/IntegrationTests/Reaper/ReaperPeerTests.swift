import Foundation
import Testing

/// gantry's reaper beside the one that engines put into a container, which runs as runc's process.
@Suite(
    .needsContainers,
    .enabled(
        if: Machine.runc != nil && Machine.find("tini-static") != nil,
        "runc or tini-static is missing: run scripts/test"),
    .timeLimit(minutes: 5))
struct ReaperPeerTests {
    /// Runs the words with gantry's reaper and with the peer.
    private func both(
        _ words: [String], _ change: (TestContainer) throws -> Void = { _ in },
        _ body: (TestContainer, _ own: Outcome, _ peer: Outcome) throws -> Void
    ) async throws {
        try await TestContainer.with(words) { container in
            try change(container)
            let own = try await container.runWithReaper()
            try Rootfs.copy(try #require(Machine.find("tini-static")), to: container.rootfs + "/tini")
            try container.set("process.args", ["/tini", "--"] + words)
            let peer = try await container.runPeer(try #require(Machine.runc))
            try body(container, own, peer)
        }
    }

    /// What a program sees of itself and of the first process. Its number is for chance: others have forked before.
    private static let look = """
        ulimit -c 0
        for p in 1 $$; do
            grep -E '^(Cap|[UG]id|NoNewPrivs|Groups|Seccomp:)' /proc/$p/status
            ls /proc/$p/fd
            readlink /proc/$p/root
            readlink /proc/$p/cwd
        done
        (sleep 0.01 &)
        while grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null; do sleep 0.01; done >/dev/null
        set -- $(cut -d ' ' -f 4-8 /proc/$$/stat)
        echo "parent $1 group $(( $2 == $$ )) session $3 terminal $4"
        """

    @Test func theProgramsSurroundings() async throws {
        try await both(["/bin/sh", "-c", Self.look + "\nexit 3"]) { container, own, peer in
            #expect(own.code == 3 && peer.code == 3, "\(own)\n\(peer)")
            #expect(own.lines == peer.lines)
            #expect(own.lines.last?.hasPrefix("parent 1 group 1 session 1") == true, "\(own)")
        }
    }

    @Test(arguments: [
        "exit 0", "exit 77", "exit 255", "kill -9 $$", "kill -TERM $$", "ulimit -c 0; kill -SEGV $$",
        "(sleep 100 &); sleep 100 & exit 4", "exec /bin/false", "trap 'exit 8' TERM; kill $$; sleep 1",
    ])
    func ends(script: String) async throws {
        try await both(["/bin/sh", "-c", script]) { _, own, peer in
            #expect(own.code == peer.code && own.stdout == peer.stdout, "\(own)\n\(peer)")
        }
    }

    /// Only the codes: each has its own words. What is no program at all the peer gives to a shell.
    @Test(arguments: ["#!/nosuch\n", "#!/etc\n"])
    func programsThatCannotBeExecuted(text: String) async throws {
        try await both(["/script"]) {
            try $0.put(text, at: "/script")
        } _: { _, own, peer in
            #expect(own.code == peer.code, "\(own)\n\(peer)")
        }
    }
}
