import Foundation
import Testing

/// An OCI image, unpacked to a bundle by umoci: its root file system and its config.json.
@Suite(
    .needsContainers,
    .enabled(if: Machine.find("umoci") != nil, "umoci is missing: run scripts/test"),
    .timeLimit(minutes: 1))
struct UmociTests {
    private let umoci = Machine.find("umoci")!

    private func expect(_ arguments: [String]) async throws {
        let outcome = try await Command.run(umoci, arguments)
        try #require(outcome.code == 0, "\(outcome)")
    }

    /// Builds an image of two layers in a fresh layout, the second of which removes a file of the first.
    private func makeImage(in directory: String) async throws -> String {
        let layout = directory + "/layout"
        let image = layout + ":latest"
        let rootfs = directory + "/rootfs"
        try Rootfs.busybox(at: rootfs)
        try "gone".write(toFile: rootfs + "/etc/gone", atomically: false, encoding: .utf8)
        try "kept\n".write(toFile: rootfs + "/etc/kept", atomically: false, encoding: .utf8)
        try await expect(["init", "--layout", layout])
        try await expect(["new", "--image", image])
        try await expect(["insert", "--image", image, rootfs, "/"])
        try await expect(["insert", "--image", image, "--whiteout", "/etc/gone"])
        try await expect([
            "config", "--image", image, "--config.user", "1000:1000", "--config.workingdir",
            "/home/user/work",
            "--config.env", "PATH=/bin", "--config.env", "GREETING=hello world", "--config.entrypoint",
            "/bin/sh",
            "--config.cmd", "-c", "--config.cmd",
            "id -u; id -g; pwd; echo $GREETING; echo $HOME; cat /etc/kept; test -e /etc/gone || echo removed",
        ])
        return image
    }

    @Test func unpacked() async throws {
        let directory = try TemporaryDirectory("umoci")
        defer { directory.remove() }
        let image = try await makeImage(in: directory.path)
        let bundle = directory.path + "/bundle"
        try await expect(["unpack", "--image", image, bundle])

        var config = try read(bundle)
        config.set(["process", "terminal"], false)
        try JSONSerialization.data(withJSONObject: config).write(to: URL(filePath: bundle + "/config.json"))
        let id = "umoci-" + directory.path.suffix(6)
        let words = ["--root", directory.path + "/state", "run", "--bundle", bundle, id]
        let outcome = try await Command.run(Machine.gantry, words)
        #expect(outcome.code == 0, "\(outcome)")
        let expected = ["1000", "1000", "/home/user/work", "hello world", "/home/user", "kept", "removed"]
        #expect(outcome.lines == expected, "\(outcome)")
        guard let runc = Machine.runc else { return }
        let peer = try await Command.run(runc, words)
        #expect(outcome.stdout == peer.stdout && outcome.code == peer.code, "\(outcome)\n\(peer)")
    }

    private func read(_ bundle: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: bundle + "/config.json"))
        return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }
}
