/// Times of a trivial container through engines, in rounds like all others (see `Measurements`).
struct EngineMeasurements {
    let launcher: Launcher
    let rounds: Int
    let warmup: Int

    func time(_ competitors: [Competitor], into results: inout Results) throws {
        for round in -warmup..<rounds {
            for turn in 0..<competitors.count {
                let competitor = competitors[(turn + round + warmup) % competitors.count]
                for (measure, command) in commands(competitor) {
                    let outcome = try launcher.succeed(command)
                    if round >= 0 { results.add(outcome.milliseconds, measure, competitor.name) }
                }
            }
        }
    }

    private func commands(_ competitor: Competitor) -> [(Measure, [String])] {
        let runtime = competitor.program
        let podman = [
            "/usr/bin/podman", "--runtime", runtime, "run", "--rm", "--network", "none", "localhost/box",
        ]
        let ctr = ["/usr/bin/ctr", "run", "--rm", "--runc-binary", runtime, "box:box", competitor.nextID()]
        return [(.podmanRun, podman + ["/bin/true"]), (.ctrRun, ctr + ["/bin/true"])]
    }
}
