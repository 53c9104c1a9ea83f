import Foundation
import Testing

extension Trait where Self == ConditionTrait {
    /// Root, the binary under test, and what root file systems are made of.
    static var needsContainers: Self {
        .enabled(if: Machine.canRunContainers, Comment(rawValue: Machine.obstacle ?? ""))
    }
}

extension Trait where Self == TimeLimitTrait {
    /// A limit against hangs, longer on a slow machine (`Machine.patience`).
    static func timeLimit(minutes: Int) -> Self {
        .timeLimit(.minutes(Int(Double(minutes) * max(1, Machine.patience))))
    }
}

/// Whether the long forms of tests are wanted: scripts/soak sets it.
enum Soak {
    static let isOn = ProcessInfo.processInfo.environment["GANTRY_SOAK"] == "1"

    /// How often a race is run.
    static func rounds(_ short: Int, soak: Int) -> Int { isOn ? soak : short }
}
