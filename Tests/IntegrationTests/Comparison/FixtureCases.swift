import Foundation
import Testing

extension ComparisonCase {
    /// Every configuration in Tests/Fixtures/configs, with only that replaced which belongs to the host or the engine
    /// it was captured on.
    static let fixtures: [ComparisonCase] = names.map { name in
        ComparisonCase(name, expectation(name)) { try await Fixture.adopt(name, $0) }
    }

    private static let directory = Machine.repository + "/Tests/Fixtures/configs/"

    private static let names: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
        .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()

    private static func expectation(_ name: String) -> Expectation {
        switch name {
        case "crun-spec-rootless": .refused  // It has no id mappings.
        // It has version 1's hierarchy of systemd.
        case "podman-systemd-volume" where Host.isUnified: .refused
        case "runc-spec-rootless": .onlyPeer("user namespaces are not supported yet", "not built yet")
        default: .same
        }
    }

    private enum Fixture {
        static func adopt(_ name: String, _ bundle: ComparisonBundle) async throws {
            let data = try Data(contentsOf: URL(filePath: directory + name + ".json"))
            bundle.config = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
            bundle.set("root.path", "rootfs")
            try replaceHooks(bundle)
            bundle.set("process.args", ["probe"])
            if bundle.value("process.terminal") as? Bool == true { try await attachTerminal(bundle) }
            bundle.set("linux.cgroupsPath", bundle.cgroupsPath())
            replaceNamespaces(bundle)
            try replaceSources(bundle)
            lowerLimits(bundle)
            dropCapabilities(bundle)
        }

        /// Hooks are programs of the engine's: in place of each stands one that wants to be told of the container.
        private static func replaceHooks(_ bundle: ComparisonBundle) throws {
            guard var hooks = bundle.value("hooks") as? [String: [[String: Any]]] else { return }
            let program = try bundle.sourceDirectory("hook") + "/program"
            try Rootfs.write("#!/bin/sh\ngrep -q '\"bundle\":'\n", to: program)
            for (point, list) in hooks {
                hooks[point] = list.map { hook in
                    var hook = hook
                    hook["path"] = program
                    hook["env"] = ["PATH=/usr/bin:/bin"]
                    return hook
                }
            }
            bundle.set("hooks", hooks)
        }

        /// The terminal goes to somebody who listens, the report to a descriptor of its own.
        private static func attachTerminal(_ bundle: ComparisonBundle) async throws {
            let socket = bundle.directory + "/console.sock"
            let engine = try Child.spawn(try Programs.compile("console"), [socket])
            bundle.atEnd {
                kill(engine.pid, SIGKILL)
                _ = try await engine.wait()
            }
            try await eventually("a console socket") { FileManager.default.fileExists(atPath: socket) }
            let report = open(bundle.report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            bundle.atEnd { close(report) }
            bundle.descriptors[3] = report
            bundle.stdout = "/dev/null"
            bundle.set("process.args", ["probe", "out=3"])
            bundle.flags += ["--preserve-fds", "1", "--console-socket", socket]
        }

        /// Those that were joined by a path were the host's.
        private static func replaceNamespaces(_ bundle: ComparisonBundle) {
            let links = ["network": "net", "mount": "mnt"]
            let namespaces = bundle.value("linux.namespaces") as? [[String: Any]] ?? []
            bundle.set(
                "linux.namespaces",
                namespaces.map { namespace in
                    guard namespace["path"] != nil, let type = namespace["type"] as? String else {
                        return namespace
                    }
                    return ["type": type, "path": "/proc/\(getpid())/ns/" + (links[type] ?? type)]
                })
        }

        /// What an engine had made for the container is made anew: files beneath /etc, /run and /dev, else directories.
        private static func replaceSources(_ bundle: ComparisonBundle) throws {
            var mounts = bundle.value("mounts") as? [[String: Any]] ?? []
            for (index, mount) in mounts.enumerated() {
                let options = mount["options"] as? [String] ?? []
                guard
                    options.contains("bind") || options.contains("rbind")
                        || mount["type"] as? String == "bind",
                    let source = mount["source"] as? String,
                    let destination = mount["destination"] as? String,
                    !["/dev/", "/sys", "/proc"].contains(where: source.hasPrefix)
                else { continue }
                let isFile =
                    ["/etc/", "/run/.", "/dev/"].contains(where: destination.hasPrefix)
                    && !["/dev/shm", "/dev/mqueue"].contains(destination)
                mounts[index]["source"] =
                    isFile
                    ? try bundle.sourceFile("source\(index)") : try bundle.sourceDirectory("source\(index)")
            }
            bundle.set("mounts", mounts)
        }

        /// runc 1.1.5 refuses capabilities that it lacks itself.
        private static func dropCapabilities(_ bundle: ComparisonBundle) {
            guard Machine.permittedCapabilities >> 24 & 1 == 0 else { return }
            let sets = bundle.value("process.capabilities") as? [String: [String]] ?? [:]
            bundle.set("process.capabilities", sets.mapValues { $0.filter { $0 != "CAP_SYS_RESOURCE" } })
        }

        /// Who lacks CAP_SYS_RESOURCE cannot raise a hard limit.
        private static func lowerLimits(_ bundle: ComparisonBundle) {
            let known = [
                "RLIMIT_NOFILE": Int32(RLIMIT_NOFILE.rawValue),
                "RLIMIT_NPROC": Int32(__RLIMIT_NPROC.rawValue),
            ]
            var limits = bundle.value("process.rlimits") as? [[String: Any]] ?? []
            for index in limits.indices {
                guard let resource = known[limits[index]["type"] as? String ?? ""] else { continue }
                var own = rlimit()
                getrlimit(resource, &own)
                for key in ["soft", "hard"] {
                    limits[index][key] = min(limits[index][key] as? UInt64 ?? 0, UInt64(own.rlim_max))
                }
            }
            bundle.set("process.rlimits", limits)
        }
    }
}
