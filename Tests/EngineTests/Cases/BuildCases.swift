/// Every RUN of a Dockerfile is a container.
private let dockerfile = """
    FROM box AS first
    ENV GREETING=hello
    WORKDIR /made/here
    RUN echo "$GREETING from $(pwd)" >file && id -u >>file
    USER 1000:1000
    RUN id -u >/tmp/uid && test ! -w /etc
    FROM box
    COPY --from=first --chown=1000:50 /made/here/file /copied
    COPY --from=first /tmp/uid /uid
    RUN ["/bin/sh", "-c", "cat /copied /uid >/both"]
    CMD ["cat", "/both"]

    """

private func build(_ s: Session, _ words: [String], dockerfile text: String) async throws -> Answer {
    let directory = s.ride.world.home + "/" + s.name
    _ = try await s.host("mkdir", "-p", directory)
    try s.ride.world.write(text, to: directory + "/Dockerfile")
    let command = words + ["-t", "built-" + s.name, directory]
    return Answer(outcome: try await s.ride.world.run(command, seconds: 120))
}

let buildCases = [
    EngineCase("build", on: [.docker, .podman, .buildah], proves: ["create", "run", "exit-codes"]) { s in
        try await build(s, [s.engine.rawValue, "build"], dockerfile: dockerfile).exits(0)
        let run = s.engine == .buildah ? "podman" : s.engine.rawValue
        try await s.host(run, "run", "--rm", "built-" + s.name).exits(0).prints(
            "hello from /made/here\n0\n1000\n")
    },
    EngineCase("build: a step fails", on: [.docker, .podman, .buildah], proves: ["exit-codes"]) { s in
        let answer = try await build(
            s, [s.engine.rawValue, "build"], dockerfile: "FROM box\nRUN echo so far; exit 42\n")
        try s.require(answer.outcome.code != 0, "\(answer.outcome)")
        try s.require((answer.outcome.stderr + answer.outcome.stdout).contains("42"), "\(answer.outcome)")
        let missing = try await build(
            s, [s.engine.rawValue, "build"], dockerfile: "FROM box\nRUN nothing-there\n")
        try s.require((missing.outcome.stderr + missing.outcome.stdout).contains("127"), "\(missing.outcome)")
    },
    EngineCase("build: BuildKit", on: [.docker], proves: ["run", "exit-codes"]) { s in
        let words = ["env", "DOCKER_BUILDKIT=1", "docker", "build", "--progress", "plain"]
        try await build(s, words, dockerfile: dockerfile).exits(0)
        try await s("run", "--rm", "built-" + s.name).exits(0).prints("hello from /made/here\n0\n1000\n")
        let answer = try await build(s, words, dockerfile: "FROM box\nRUN exit 42\n")
        try s.require(answer.outcome.stderr.contains("42"), "\(answer.outcome)")
    },
]
