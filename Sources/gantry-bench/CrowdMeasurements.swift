import Foundation

/// What a start costs on a machine that is full of containers, and what a limit on processor time is worth there.
struct CrowdMeasurements {
    let launcher: Launcher
    let bundle: Bundle
    let floor: String
    let gantry: Competitor
    let work: String
    let rounds: Int
    let warmup: Int

    /// Containers that are alive.
    private static let crowd = 500
    /// Percent of one processor.
    private static let quota = 20.0

    func measure(into results: inout Results) throws {
        try timeQuota(into: &results)
        try timeStarts(.createAlone, into: &results)
        var alive: [String] = []
        defer { for id in alive { _ = try? launcher.run(gantry.command("delete", "--force", id)) } }
        try bundle.write(args: ["/bin/sleep", "1000"])
        defer { try? bundle.write() }
        for _ in 0..<Self.crowd {
            let id = gantry.nextID()
            alive.append(id)
            _ = try launcher.succeed(gantry.command("run", "--detach", "--bundle", bundle.directory, id))
        }
        try timeStarts(.createCrowded, into: &results)
        if let ours = growth(gantry.name, results), let theirs = growth(Results.floor, results) {
            results.add(ours / theirs, .growth, gantry.name)
        }
    }

    private func growth(_ name: String, _ results: Results) -> Double? {
        guard let alone = results.median(.createAlone, name),
            let crowded = results.median(.createCrowded, name)
        else { return nil }
        return crowded / alone
    }

    /// `create`, and the floor's whole container, which has no such thing as a created one.
    private func timeStarts(_ measure: Measure, into results: inout Results) throws {
        for round in -warmup..<rounds {
            for isFloor in round % 2 == 0 ? [false, true] : [true, false] {
                let id = gantry.nextID()
                let command =
                    isFloor
                    ? [floor, bundle.rootfs] : gantry.command("create", "--bundle", bundle.directory, id)
                let outcome = try launcher.succeed(command)
                if !isFloor { _ = try launcher.succeed(gantry.command("delete", "--force", id)) }
                if round >= 0 {
                    results.add(outcome.milliseconds, measure, isFloor ? Results.floor : gantry.name)
                }
            }
        }
    }

    /// A process that never rests, for five seconds: the kernel's count of its time on a processor.
    private func timeQuota(into results: inout Results) throws {
        let (id, pidFile) = (gantry.nextID(), work + "/pid-quota")
        try bundle.write(args: ["/bin/sh", "-c", "while :; do :; done"], quota: Self.quota)
        defer { try? bundle.write() }
        defer { _ = try? launcher.run(gantry.command("delete", "--force", id)) }
        _ = try launcher.succeed(
            gantry.command("run", "--detach", "--bundle", bundle.directory, "--pid-file", pidFile, id))
        let pid = try ProcessFiles.number(in: pidFile)
        usleep(500_000)
        let (begin, used) = (DispatchTime.now().uptimeNanoseconds, ProcessFiles.processorTime(pid))
        usleep(5_000_000)
        let (end, usedThen) = (DispatchTime.now().uptimeNanoseconds, ProcessFiles.processorTime(pid))
        let percent = (usedThen - used) / (Double(end - begin) / 1e6) * 100
        results.add(abs(percent - Self.quota), .quotaError, gantry.name)
    }
}
