import Foundation

extension ComparisonCase {
    /// The root file system: propagation, read-only, where it stands, how it is entered.
    static let roots: [ComparisonCase] =
        propagations.flatMap { value in
            [
                ComparisonCase("rootfsPropagation \(value)", unbindable(value), alone: isLost(value)) {
                    $0.set("linux.rootfsPropagation", value)
                },
                ComparisonCase(
                    "rootfsPropagation \(value) beneath a shared mount",
                    value == "runbindable" ? unbindable(value) : .same,
                    alone: isLost(value)
                ) { bundle in
                    try await makeShared(bundle)
                    bundle.set("linux.rootfsPropagation", value)
                },
            ]
        } + [
            ComparisonCase("bundle on a shared mount") { try await makeShared($0) },
            ComparisonCase("read-only root") { $0.set("root.readonly", true) },
            ComparisonCase("read-only root whose mount points are missing") { bundle in
                bundle.set("root.readonly", true)
                for name in ["dev", "proc", "sys"] {
                    try FileManager.default.removeItem(atPath: bundle.rootfs + "/" + name)
                }
                bundle.mount("/made/here", "tmpfs", "tmpfs", [])
            },
            ComparisonCase("root by an absolute path") { $0.set("root.path", $0.rootfs) },
            ComparisonCase("root by a path with dots") { $0.set("root.path", "./rootfs/../rootfs/") },
            ComparisonCase("root is a symlink", .onlyOurs("it is the caller's own; runc 1.1.5 is stricter")) {
                bundle in
                let link = bundle.directory + "/bundle/link"
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "rootfs")
                bundle.set("root.path", "link")
            },
            ComparisonCase("root does not exist", .refused) { $0.set("root.path", "nowhere") },
            ComparisonCase("root is a file", .refused) { bundle in
                _ = try bundle.sourceFile("bundle/plain")
                bundle.set("root.path", "plain")
            },
            ComparisonCase("root is a mount with options of its own") { bundle in
                try await bundle.mountOnHost("--bind", bundle.rootfs, at: bundle.rootfs)
                try await bundle.mountOnHost("-o", "remount,bind,nosuid,nodev,noatime", at: bundle.rootfs)
            },
            ComparisonCase("root with mounts inside") { bundle in
                try bundle.makeDirectory("inside")
                try await bundle.mountOnHost(
                    "-t", "tmpfs", "-o", "size=1m,nosuid", "tmpfs", at: bundle.rootfs + "/inside")
            },
            ComparisonCase("no-pivot") { $0.flags = ["--no-pivot"] },
            ComparisonCase("no-pivot, private", .refused) { bundle in
                bundle.flags = ["--no-pivot"]
                bundle.set("linux.rootfsPropagation", "rprivate")
            },
            ComparisonCase("no-pivot, read-only root") { bundle in
                bundle.flags = ["--no-pivot"]
                bundle.set("root.readonly", true)
            },
        ]

    private static let propagations = [
        "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable",
    ]

    /// runc 1.1.5 does not make the container's root so.
    private static func isLost(_ value: String) -> Bool {
        value.hasSuffix("shared") || value.hasSuffix("unbindable")
    }

    private static func unbindable(_ value: String) -> Expectation {
        value.hasSuffix("unbindable") && JustifiedDifference.peerIsOfDebian12
            ? .onlyOurs("runc 1.1.5 cannot bind what it has just made unbindable") : .same
    }

    /// Makes the bundle's directory a mount that tells its peers.
    private static func makeShared(_ bundle: ComparisonBundle) async throws {
        try await bundle.mountOnHost("--bind", bundle.directory, at: bundle.directory)
        let outcome = try await Command.run("/bin/mount", ["--make-shared", bundle.directory])
        guard outcome.code == 0 else { throw Command.TimedOut(description: outcome.description) }
    }
}
