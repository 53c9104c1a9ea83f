/// What was measured of a runtime.
enum Measure: String, CaseIterable {
    case run, create, start, state, delete, exec, execTerminal, peakMemory, systemCalls, memoryLimit
    case podmanRun, ctrRun
    case createAlone, createCrowded, growth, quotaError
    case supervisedStart, supervisionCost, stopObeyed, stopIgnored
    case logMemory, logProcessor, logDisk, idleMemory, idleCalls

    var title: String {
        switch self {
        case .execTerminal: "exec with a terminal"
        case .peakMemory: "peak memory of run"
        case .systemCalls: "system calls of run"
        case .memoryLimit: "smallest memory limit"
        case .podmanRun: "podman run --rm --network none"
        case .ctrRun: "ctr run --rm"
        case .createAlone: "create, nothing else alive"
        case .createCrowded: "create among 500 others"
        case .growth: "its growth, in the floor's"
        case .quotaError: "20 % of a processor, error"
        case .supervisedStart: "supervised run --detach"
        case .supervisionCost: "of it, supervision"
        case .stopObeyed: "stop, obeyed"
        case .stopIgnored: "stop, after the grace"
        case .logMemory: "200 MiB of log, tmpfs"
        case .logProcessor: "processor time for it"
        case .logDisk: "200 MiB of log, disk"
        case .idleMemory: "memory while idle (PSS)"
        case .idleCalls: "system calls in 10 s idle"
        default: rawValue
        }
    }

    var unit: String {
        switch self {
        case .peakMemory, .memoryLimit, .idleMemory: "KiB"
        case .systemCalls, .idleCalls, .growth: ""
        case .quotaError: "points"
        default: "ms"
        }
    }
}

/// All samples, by measure and competitor, in the order of the rounds.
struct Results {
    static let floor = "floor"

    let competitors: [String]
    let versions: [String]
    private var samples: [String: [Double]] = [:]

    init(competitors: [String], versions: [String]) {
        self.competitors = competitors
        self.versions = versions
    }

    mutating func add(_ value: Double, _ measure: Measure, _ competitor: String) {
        samples["\(measure) \(competitor)", default: []].append(value)
    }

    func values(_ measure: Measure, _ competitor: String) -> [Double] {
        samples["\(measure) \(competitor)"] ?? []
    }

    func median(_ measure: Measure, _ competitor: String) -> Double? {
        Self.median(values(measure, competitor))
    }

    var hasFloor: Bool { samples.keys.contains { $0.hasSuffix(" " + Results.floor) } }

    /// Median of the ratios within the rounds.
    func ratio(_ measure: Measure, _ competitor: String, to other: String) -> Double? {
        let pairs = zip(values(measure, competitor), values(measure, other))
        return Self.median(pairs.map { $0 / $1 })
    }

    static func median(_ values: [Double]) -> Double? {
        if values.isEmpty { return nil }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
