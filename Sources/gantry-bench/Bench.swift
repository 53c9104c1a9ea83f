import ArgumentParser
import Foundation

/// Something that keeps the measurement from going on.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Compares gantry with other runtimes and with the kernel's own cost. Started by scripts/bench, which builds
/// what it needs and prepares the cgroups.
@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gantry-bench",
        abstract: "Measures gantry, crun and runc side by side, and the floor: what the kernel itself needs.")

    @Option(help: "Rounds that count. In each, every runtime has its turn, in an order that rotates.")
    var samples = 40
    @Option(help: "Rounds before those, which do not count.")
    var warmup = 4
    @Flag(help: "Print JSON instead of a table.")
    var json = false
    @Flag(help: "Exit with 1 when a bar is missed (the list stands below the table).")
    var check = false
    @Flag(help: "Only time `run`: for work on one thing.")
    var onlyRun = false
    @Flag(help: "Time /bin/true through Podman and containerd instead: the launcher is in a world with both.")
    var engines = false
    @Flag(help: "Measure supervised containers, beside conmon.")
    var supervisor = false
    @Flag(
        help:
            "Measure `create` with 500 containers alive, beside the floor, and what a limit on processor time gives."
    )
    var crowd = false
    @Option(help: ArgumentHelp("conmon to compare with.", valueName: "path"))
    var conmon = "/usr/bin/conmon"
    @Option(help: ArgumentHelp("Runtime to measure.", valueName: "path"))
    var gantry = "bin/gantry"
    @Option(help: ArgumentHelp("crun to compare with.", valueName: "path"))
    var crun = "/usr/bin/crun"
    @Option(help: ArgumentHelp("runc to compare with.", valueName: "path"))
    var runc = "/usr/sbin/runc"
    @Option(help: ArgumentHelp("Directory with the programs floor and launch.", valueName: "dir"))
    var helpers: String
    @Option(help: ArgumentHelp("Empty directory for bundle, state and logs.", valueName: "dir"))
    var work: String

    func validate() throws {
        if samples < 1 || warmup < 0 {
            throw ValidationError("--samples must be at least 1, --warmup at least 0")
        }
    }

    func run() throws {
        let launcher = try Launcher(program: helpers + "/launch", log: work + "/log")
        if supervisor { return try measureSupervisor(launcher) }
        if crowd { return try measureCrowd(launcher) }
        let competitors = try competitors(launcher)
        var results = Results(competitors: competitors.map(\.name), versions: competitors.map(\.version))
        if engines {
            let bench = EngineMeasurements(launcher: launcher, rounds: samples, warmup: warmup)
            try bench.time(competitors, into: &results)
        } else {
            try measure(competitors, launcher, into: &results)
        }
        try tell(Report(results: results, rounds: samples, bars: engines ? Bar.engines : Bar.all))
    }

    private func ourselves(_ launcher: Launcher) throws -> Competitor {
        try Competitor(
            name: "gantry", program: URL(fileURLWithPath: gantry).path, work: work, launcher: launcher)
    }

    private func measureCrowd(_ launcher: Launcher) throws {
        let gantry = try ourselves(launcher)
        var results = Results(competitors: [gantry.name], versions: [gantry.version])
        let bench = CrowdMeasurements(
            launcher: launcher, bundle: try Bundle(directory: work + "/bundle", specFrom: runc),
            floor: helpers + "/floor", gantry: gantry, work: work, rounds: samples, warmup: warmup)
        try bench.measure(into: &results)
        try tell(Report(results: results, rounds: samples, bars: Bar.crowd))
    }

    private func measureSupervisor(_ launcher: Launcher) throws {
        let gantry = try ourselves(launcher)
        _ = try launcher.succeed([conmon, "--version"])
        let version = launcher.output().split(separator: "\n").first.map(String.init) ?? "?"
        var results = Results(
            competitors: [gantry.name, SupervisorMeasurements.other], versions: [gantry.version, version])
        let bench = SupervisorMeasurements(
            launcher: launcher, bundle: try Bundle(directory: work + "/bundle", specFrom: runc),
            gantry: gantry,
            conmon: conmon, work: work, rounds: samples, warmup: warmup)
        try bench.measure(into: &results)
        try tell(Report(results: results, rounds: samples, bars: Bar.supervisor))
    }

    private func tell(_ report: Report) throws {
        print(json ? try report.json() : report.table())
        if check && !report.allBarsHeld { throw ExitCode(1) }
    }

    private func measure(
        _ competitors: [Competitor], _ launcher: Launcher, into results: inout Results
    ) throws {
        let bundle = try Bundle(directory: work + "/bundle", specFrom: runc)
        let bench = Measurements(
            launcher: launcher, bundle: bundle, floor: helpers + "/floor", work: work, rounds: samples,
            warmup: warmup)
        try bench.timeRun(competitors, into: &results)
        if !onlyRun {
            try bench.timeLifecycle(competitors, into: &results)
            try bench.timeExec(competitors, into: &results)
            try bench.countSystemCalls(competitors, into: &results)
            try bench.findMemoryLimits(competitors, into: &results)
        }
    }

    /// Those that are there; gantry and, for `--check`, crun must be.
    private func competitors(_ launcher: Launcher) throws -> [Competitor] {
        var found: [Competitor] = []
        for (name, path) in [("gantry", gantry), ("crun", crun), ("runc", runc)] {
            if FileManager.default.isExecutableFile(atPath: path) {
                found.append(
                    try Competitor(
                        name: name, program: URL(fileURLWithPath: path).path, work: work, launcher: launcher))
            } else if name == "gantry" || (check && name == "crun") {
                throw BenchError("\(name) is not at \(path)")
            } else {
                FileHandle.standardError.write(Data("gantry-bench: no \(name) at \(path): left out\n".utf8))
            }
        }
        return found
    }
}
