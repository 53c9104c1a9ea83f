import Foundation
import Testing

/// A distribution's programs, in a configuration as Docker writes it: what they print with gantry is what they print
/// with runc.
@Suite(
    .needsContainers,
    .enabled(if: Machine.runc != nil, "the peer is missing: run scripts/test"),
    .enabled(if: DebianRoot.exists, "there is no Debian root file system: run scripts/test as root"),
    .timeLimit(minutes: 2))
struct DebianTests {
    static let scripts = [
        "printf '%s\\n' {1..3} | sort -r | tr '\\n' ' '; echo \"${BASH_VERSION} $UID $HOSTNAME $PWD $$\"",
        "apt-get --version | head -n 1; dpkg --audit; dpkg-query -W | wc -l",
        "apt-get -o Acquire::Retries=0 update 2>&1 | grep -c 'Temporary failure resolving'",
        "perl -MPOSIX -e 'print join(q( ), (uname())[0,1,4], getpgrp(), getppid()), qq(\\n); print sort keys %ENV'",
        "perl -e 'open F, q(/proc/self/status); print grep /^(Cap|Seccomp|NoNew|Groups|Uid)/, <F>'",
        "perl -MSocket -e 'socket(S, AF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(80, INADDR_ANY)) and print qq(bound\\n)'",
        "useradd --create-home someone && su someone -c 'id; pwd; touch ~/file && ls -l ~/file | cut -d\" \" -f 1-4'",
        "getent passwd root; getent hosts localhost; id; groups; hostname; domainname; nproc",
        "ulimit -a; umask; ls -l --time-style=+ /dev | grep -v total",
        "timeout 0.1 sleep 5; echo $?; bash -c 'kill -SEGV $$'; echo $?; (exit 41); echo $?",
        "mkfifo /tmp/f; (echo through >/tmp/f &); cat /tmp/f; mktemp --dry-run | wc -c; df -P /dev/shm | tail -n 1",
        "tar -C /etc -cf - . | tar -tf - | wc -l; find / -xdev -type f -newer /proc/1 2>/dev/null | wc -l",
        "mount -t tmpfs none /mnt; echo $?; mknod /tmp/null c 1 3; echo $?; chroot / true; echo $?; dmesg >/dev/null; echo $?",
        "for n in 1 2 3; do sleep 0.01 & done; wait; echo $?; trap 'echo caught' TERM; kill -TERM $$; jobs",
    ]

    @Test(arguments: scripts) func prints(_ script: String) async throws {
        let ours = try await DebianRoot.run(Machine.gantry, script)
        let peer = try await DebianRoot.run(Machine.runc!, script)
        #expect(ours.code == 0 && peer.code == 0, "\(script)\n\(ours)\nrunc: \(peer)")
        let difference = UnifiedDiff.lines(peer.lines, ours.lines).joined(separator: "\n")
        #expect(difference.isEmpty, "\(script)\n- runc, + gantry\n\(difference)")
        #expect(!ours.stdout.isEmpty, "\(script): \(ours)")
    }

    /// Removes programs and installs them again, as builds of images do.
    @Test func packages() async throws {
        let script =
            "dpkg --remove --force-all hostname && ! hostname && test ! -e /usr/bin/hostname && echo removed"
        let outcome = try await DebianRoot.run(Machine.gantry, script)
        #expect(outcome.code == 0 && outcome.lines.last == "removed", "\(outcome)")
    }
}

/// What scripts/test makes with debootstrap.
enum DebianRoot {
    static let path = Machine.repository + "/.build-rootfs/debian"
    static let exists = FileManager.default.fileExists(atPath: path + "/etc/debian_version")

    /// Runs a script of bash on a writable layer over the root file system, which goes away with the container.
    static func run(_ runtime: String, _ script: String) async throws -> Outcome {
        try await TestContainer.with { container in
            let layers = container.directory.path + "/layers"
            let merged = container.directory.path + "/merged"
            for directory in [layers + "/upper", layers + "/work", merged] {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            }
            let options = "lowerdir=\(path),upperdir=\(layers)/upper,workdir=\(layers)/work"
            let mounted = try await Command.run(
                "/bin/mount", ["-t", "overlay", "-o", options, "overlay", merged])
            guard mounted.code == 0 else { throw Command.TimedOut(description: mounted.description) }
            defer { umount2(merged, Int32(MNT_DETACH)) }

            container.config = try dockersConfig(["/bin/bash", "-c", script], root: merged)
            try container.save()
            let words = ["--root", container.root, "run", "--bundle", container.bundle, container.id]
            return try await Command.run(runtime, words)
        }
    }

    /// Docker's default configuration without what the engine makes for each container.
    private static func dockersConfig(_ args: [String], root: String) throws -> [String: Any] {
        let path = Machine.repository + "/Tests/Fixtures/configs/docker-default.json"
        let data = try Data(contentsOf: URL(filePath: path))
        var config = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
        config.set(["root"], ["path": root])
        config.set(["process", "args"], args)
        config.set(["hostname"], "debian")
        config.set(["hooks"], nil)
        config.set(["linux", "cgroupsPath"], nil)
        let mounts = config.value(["mounts"]) as? [[String: Any]] ?? []
        config.set(["mounts"], mounts.filter { $0["type"] as? String != "bind" })
        return config
    }
}
