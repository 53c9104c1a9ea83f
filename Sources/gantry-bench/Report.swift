import Foundation

/// A limit that gantry has to keep.
struct Bar {
    let measure: Measure
    /// Competitor that the limit is relative to; `nil`: it is absolute.
    let other: String?
    let most: Double

    static let all = [
        Bar(measure: .run, other: "crun", most: 0.7),
        Bar(measure: .run, other: Results.floor, most: 1.8),
        Bar(measure: .state, other: "crun", most: 0.6),
        Bar(measure: .exec, other: "crun", most: 0.7),
        Bar(measure: .execTerminal, other: "crun", most: 0.8),
        Bar(measure: .peakMemory, other: "crun", most: 1),
        Bar(measure: .memoryLimit, other: "crun", most: 1),
        Bar(measure: .systemCalls, other: nil, most: 500),
    ]

    static let supervisor = [
        Bar(measure: .supervisionCost, other: nil, most: 2.5),
        Bar(measure: .stopObeyed, other: nil, most: 50),
        Bar(measure: .stopIgnored, other: nil, most: 50),
        Bar(measure: .logMemory, other: SupervisorMeasurements.other, most: 0.33),
        Bar(measure: .logProcessor, other: SupervisorMeasurements.other, most: 0.5),
        Bar(measure: .logDisk, other: SupervisorMeasurements.other, most: 1),
        Bar(measure: .idleMemory, other: nil, most: 614),
        Bar(measure: .idleCalls, other: nil, most: 0),
    ]

    static let crowd = [
        Bar(measure: .growth, other: nil, most: 1.2),
        Bar(measure: .quotaError, other: nil, most: 3),
    ]

    static let engines = [
        Bar(measure: .podmanRun, other: "crun", most: 1),
        Bar(measure: .ctrRun, other: "crun", most: 1),
    ]

    var title: String {
        other.map { "\(measure.title) / \($0)'s" } ?? measure.title
    }

    /// `nil` when it was not measured.
    func actual(_ results: Results) -> Double? {
        other.map { results.ratio(measure, "gantry", to: $0) } ?? results.median(measure, "gantry")
    }
}

/// Results for people and for programs.
struct Report {
    let results: Results
    let rounds: Int
    let bars: [Bar]

    var allBarsHeld: Bool {
        bars.allSatisfy { bar in bar.actual(results).map { $0 <= bar.most } ?? false }
    }

    private var columns: [String] { results.competitors + (results.hasFloor ? [Results.floor] : []) }

    /// The lines that scripts/bench prints.
    func table() -> String {
        var lines = zip(results.competitors, results.versions).map { "\($0): \($1)" }
        lines += [
            "medians of \(rounds) rounds; in brackets: gantry's share of it, median within the rounds", "",
        ]
        lines.append(row("", columns))
        for measure in Measure.allCases where results.median(measure, "gantry") != nil {
            let title = measure.unit.isEmpty ? measure.title : "\(measure.title), \(measure.unit)"
            lines.append(row(title, columns.map { cell(measure, $0) }))
        }
        lines.append("")
        for bar in bars {
            guard let actual = bar.actual(results) else {
                lines.append("not measured  \(bar.title)")
                continue
            }
            let verdict = actual <= bar.most ? "held  " : "MISSED"
            lines.append("\(verdict)  \(bar.title): \(number(actual)), at most \(number(bar.most))")
        }
        return lines.joined(separator: "\n")
    }

    private func cell(_ measure: Measure, _ competitor: String) -> String {
        guard let median = results.median(measure, competitor) else { return "–" }
        let isFine = measure.unit == "ms" || median < 10
        let value = String(format: isFine ? "%.2f" : "%.0f", median)
        guard competitor != "gantry", let ratio = results.ratio(measure, "gantry", to: competitor) else {
            return value
        }
        return value + String(format: " [%.2f]", ratio)
    }

    private func row(_ title: String, _ cells: [String]) -> String {
        func pad(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count))
        }
        return title + pad(title, 26) + cells.map { pad($0, 16) + $0 }.joined()
    }

    private func number(_ value: Double) -> String {
        value == value.rounded() ? String(format: "%.0f", value) : String(format: "%.2f", value)
    }

    func json() throws -> String {
        var measures: [String: Any] = [:]
        for measure in Measure.allCases {
            var entry: [String: Any] = ["unit": measure.unit]
            for competitor in columns {
                guard let median = results.median(measure, competitor) else { continue }
                var value: [String: Any] = ["median": median, "samples": results.values(measure, competitor)]
                value["gantryRatio"] = results.ratio(measure, "gantry", to: competitor)
                entry[competitor] = value
            }
            measures[measure.rawValue] = entry
        }
        let held: [[String: Any]] = bars.map { bar in
            let actual = bar.actual(results)
            return [
                "measure": bar.measure.rawValue, "relativeTo": bar.other ?? NSNull(), "most": bar.most,
                "actual": actual ?? NSNull(), "held": actual.map { $0 <= bar.most } ?? false,
            ]
        }
        let document: [String: Any] = [
            "rounds": rounds,
            "versions": Dictionary(uniqueKeysWithValues: zip(results.competitors, results.versions)),
            "measures": measures, "bars": held,
        ]
        let data = try JSONSerialization.data(
            withJSONObject: document, options: [.sortedKeys, .prettyPrinted])
        return String(decoding: data, as: UTF8.self)
    }
}
