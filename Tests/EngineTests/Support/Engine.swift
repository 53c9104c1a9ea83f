import Foundation

/// An engine of Debian.
enum Engine: String, CaseIterable, Sendable {
    case docker, podman, containerd, buildah

    /// Docker's and Podman's commands are the same.
    static let docklike: [Engine] = [.docker, .podman]

    /// How the names of its worlds begin.
    var worlds: String { "engine-\(self)-" }
}

/// What the engine runs containers with.
enum Runtime: String, CaseIterable, Sendable {
    case gantry
    /// Debian's runc, to tell what gantry does wrong from what cannot be had on this machine.
    case control

    var program: String { self == .gantry ? "/usr/local/bin/gantry" : "/usr/sbin/runc" }
}

/// An engine at work in a world of its own, with one runtime.
final class Ride: Sendable {
    let engine: Engine
    let runtime: Runtime
    let world: World

    /// How the engine calls the image that scripts/engines.d/image makes.
    var image: String {
        switch engine {
        case .docker: "box"
        case .podman, .buildah: "localhost/box"
        case .containerd: "box:box"
        }
    }

    init(_ engine: Engine, _ runtime: Runtime) async throws {
        self.engine = engine
        self.runtime = runtime
        world = try await World(engine.worlds + runtime.rawValue)
        do {
            try await prepare()
        } catch {
            try await world.end()
            throw error
        }
    }

    private func prepare() async throws {
        let made = try await Command.run(
            Machine.repository + "/scripts/engines.d/image", [world.home])
        guard made.code == 0 else { throw World.Failed(description: "\(made)") }
        if runtime == .gantry { try await leaveGantryAlone() }
        switch engine {
        case .docker:
            if runtime == .gantry {
                try world.write(Readme.block("/etc/docker/daemon.json"), to: "/etc/docker/daemon.json")
            }
            try await world.start(daemon: ["dockerd"], probe: ["docker", "version"])
            try await world.need("docker", "import", "-c", "CMD sh", "box.tar", "box")
        case .podman, .buildah:
            try world.write(containersConf(), to: "/etc/containers/containers.conf")
            try await world.need("podman", "import", "-c", "CMD sh", "box.tar", "box")
        case .containerd:
            if runtime == .gantry {
                try world.write(
                    Readme.block("/etc/containerd/config.toml"), to: "/etc/containerd/config.toml")
            }
            try await world.start(daemon: ["containerd"], probe: ["ctr", "version"])
            try await world.need("ctr", "image", "import", "--base-name", "box", "box.oci.tar")
        }
    }

    /// Takes the other runtimes away, so that whatever runs is gantry's doing. The name `runc` leads to it, which BuildKit
    /// inside dockerd and `ctr container create` look for.
    private func leaveGantryAlone() async throws {
        for other in [Machine.runc, Machine.crun].compactMap({ $0 }) {
            try await world.need("mount", "--bind", "/bin/false", other)
        }
        try await world.need("ln", "-s", "gantry", "/usr/local/bin/runc")
    }

    /// Limits on open files and processes as the caller has them: Podman's own are higher, and root may be without
    /// CAP_SYS_RESOURCE, which raising them needs.
    private func containersConf() -> String {
        let limits = """
            [containers]
            default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]

            """
        let choice =
            runtime == .gantry
            ? Readme.block("/etc/containers/containers.conf") : "[engine]\nruntime = \"runc\"\n"
        return limits + choice
    }

    /// A command line of the engine's client.
    func command(_ words: [String]) -> [String] {
        switch engine {
        case .docker, .podman, .buildah:
            return [engine.rawValue] + words
        case .containerd:
            // ctr takes the runtime with the container.
            guard words.first == "run" else { return ["ctr"] + words }
            return ["ctr", "run", "--runc-binary", runtime.program] + words.dropFirst()
        }
    }

    /// What the engine and the runtime have written down last, for who looks into a failure: a client does not always
    /// print what a container has said.
    var logs: String {
        let files =
            switch engine {
            case .docker: ["/var/log/dockerd.log", "/var/lib/docker/buildkit/executor/runc-log.json"]
            case .containerd: ["/var/log/containerd.log"]
            case .podman, .buildah: [String]()
            }
        return files.map { file in
            "\n\(file): …" + ((try? world.text(file)) ?? "").suffix(2000)
        }.joined()
    }

    func end() async throws {
        try await world.end()
    }
}

/// The rides of this process, each started when it is first wanted.
actor Rides {
    static let shared = Rides()

    private var started: [String: Task<Ride, any Error>] = [:]

    func ride(_ engine: Engine, _ runtime: Runtime) async throws -> Ride {
        let key = "\(engine)-\(runtime)"
        if let task = started[key] { return try await task.value }
        let task = Task { try await Ride(engine, runtime) }
        started[key] = task
        return try await task.value
    }

    /// Ends those of the engine that are there.
    func end(_ engine: Engine) async throws {
        for runtime in Runtime.allCases {
            guard let task = started.removeValue(forKey: "\(engine)-\(runtime)") else { continue }
            if case .success(let ride) = await task.result { try await ride.end() }
        }
    }
}
