import Foundation
import Testing

/// Somebody sets the clock an hour ahead, then two hours back, while containers print, are being stopped and wait for
/// their next run. Nothing ends early or hangs, no line is lost, and each has the time that the clock showed.
@Suite(.needsContainers, .enabled(if: Clock.obstacle == nil, Clock.reason), .timeLimit(minutes: 10))
struct ClockTests {
    @Test func itIsStepped() async throws {
        try await TestContainer.with { printing in
            try printing.setScript(
                "n=1; while [ ! -e /end ]; do echo $n $(date +%s); n=$((n + 1)); sleep 0.05; done; exit 2")
            try await printing.supervise()
            try await waitForLines(printing)
            try await Clock.restoring { clock in
                for seconds in [3600, -7200] {
                    try await stop { try clock.step(seconds) }
                    try await waitForLines(printing)
                    try await pause { try clock.step(seconds) }
                    try await waitForLines(printing)
                }
            }
            try await waitForLines(printing)
            try Data().write(to: URL(filePath: printing.rootfs + "/end"))
            #expect(try await printing.exitCode() == 2)
            try expectTimes(printing)
        }
    }

    private func waitForLines(_ container: TestContainer) async throws {
        let lines = (try? container.logged().count) ?? 0
        try await eventually("more lines") { (try? container.logged().count) ?? 0 > lines + 10 }
    }

    /// Seconds since the machine's start, which no clock tells otherwise.
    private func starts(_ container: TestContainer) -> [Double] {
        ((try? container.text("starts")) ?? "").split(separator: "\n").compactMap { Double($0) }
    }

    /// A grace of three seconds, for one that does not obey, is as long as ever.
    private func stop(_ change: () throws -> Void) async throws {
        try await TestContainer.with { container in
            try container.setScript("trap '' TERM; touch /ready; while :; do sleep 0.05; done")
            try await container.supervise()
            try await container.waitForFile("ready")
            let began = ContinuousClock.now
            let stopper = try Child.spawn(
                Machine.gantry, container.globals + ["stop", "--time", "3", container.id])
            try await eventually("it to be stopped") {
                (try? container.keptStatus())?["stoppedByUser"] as? Bool == true
            }
            try change()
            #expect(try await stopper.wait(seconds: 60) == 0)
            #expect(ContinuousClock.now - began >= .seconds(3))
            #expect(try container.keptCode() == 137)
        }
    }

    /// What the container saw, and what the log says, but for lines that were printed just before a step.
    private func expectTimes(_ container: TestContainer) throws {
        let log = try String(
            contentsOfFile: container.states + "/" + container.id + "/container.log", encoding: .utf8)
        var strange = 0
        var number = 0
        for line in log.split(separator: "\n") {
            let fields = line.split(separator: " ")
            try #require(fields.count == 5, "\(line)")
            number += 1
            #expect(Int(fields[3]) == number, "\(line)")
            // Without the fraction.
            let arrival = try Date(String(fields[0].prefix(19)) + "Z", strategy: .iso8601)
                .timeIntervalSince1970
            let printed = try #require(Double(fields[4]))
            if !(0..<60).contains(arrival - printed) { strange += 1 }
        }
        #expect(strange <= 5)
    }

    /// Between runs of one that fails: 100 ms, and twice as long each time. No run was a good one.
    private func pause(_ change: () throws -> Void) async throws {
        try await TestContainer.with { container in
            try container.setScript("cut -d' ' -f1 /proc/uptime >> /starts; exit 1")
            try await container.supervise("--restart", "always")
            try await eventually("some runs") { starts(container).count >= 3 }
            try change()
            try await eventually("more runs") { starts(container).count >= 6 }
            let times = starts(container)
            var least = 0.1
            for (first, second) in zip(times, times.dropFirst()) {
                // /proc/uptime has hundredths.
                #expect(second - first > least - 0.02, "\(times)")
                least *= 2
            }
        }
    }
}

/// CLOCK_REALTIME.
private struct Clock {
    /// Why it cannot be set.
    static let obstacle: String? =
        !Soak.isOn
        ? "it is everybody's clock: with GANTRY_SOAK=1 alone"
        : Machine.permittedCapabilities >> 25 & 1 == 0 ? "setting the clock needs CAP_SYS_TIME" : nil
    static let reason = Comment(rawValue: obstacle ?? "")

    private let real = now(CLOCK_REALTIME)
    private let monotonic = now(CLOCK_MONOTONIC)

    private static func now(_ clock: clockid_t) -> Int {
        var time = timespec()
        clock_gettime(clock, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    private static func set(_ nanoseconds: Int) -> Bool {
        var time = timespec(tv_sec: nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
        return clock_settime(CLOCK_REALTIME, &time) == 0
    }

    func step(_ seconds: Int) throws {
        try #require(Clock.set(Clock.now(CLOCK_REALTIME) + seconds * 1_000_000_000))
    }

    /// Sets it back to what it would be, also when the body fails.
    static func restoring(_ body: (Clock) async throws -> Void) async throws {
        let clock = Clock()
        defer { _ = set(clock.real + now(CLOCK_MONOTONIC) - clock.monotonic) }
        try await body(clock)
    }
}
