import Foundation

/// A runtime under measurement. All are called with the same arguments and have a state directory of their
/// own.
final class Competitor {
    let name: String
    let version: String
    let program: String
    private let root: String
    private var count = 0

    init(name: String, program: String, work: String, launcher: Launcher) throws {
        self.name = name
        self.program = program
        root = "\(work)/state-\(name)"
        _ = try launcher.succeed([program, "--version"])
        version = launcher.output().split(separator: "\n").first.map(String.init) ?? "?"
    }

    /// A container ID that was not used before.
    func nextID() -> String {
        count += 1
        return "bench-\(name)-\(count)"
    }

    func command(_ arguments: String...) -> [String] {
        [program, "--root", root] + arguments
    }
}

/// The bundle that every runtime gets: the default `runc spec`, without a terminal, running /bin/true.
final class Bundle {
    let directory: String
    private let configuration: [String: Any]

    init(directory: String, specFrom runtime: String) throws {
        self.directory = directory
        let specification = Process()
        specification.executableURL = URL(fileURLWithPath: runtime)
        specification.arguments = ["spec", "--bundle", directory]
        try? FileManager.default.removeItem(atPath: directory + "/config.json")
        try specification.run()
        specification.waitUntilExit()
        let data = try Data(contentsOf: URL(fileURLWithPath: directory + "/config.json"))
        guard var configuration = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            var process = configuration["process"] as? [String: Any]
        else { throw BenchError("\(runtime) spec wrote no config.json that is usable") }
        process["terminal"] = false
        process["args"] = ["/bin/true"]
        configuration["process"] = process
        self.configuration = configuration
        try write()
    }

    var rootfs: String { directory + "/rootfs" }

    /// Writes config.json, with another program or a limit where they are given.
    func write(args: [String]? = nil, memoryLimit bytes: Int? = nil, quota percent: Double? = nil) throws {
        var configuration = configuration
        if let args {
            var process = configuration["process"] as? [String: Any] ?? [:]
            process["args"] = args
            configuration["process"] = process
        }
        var linux = configuration["linux"] as? [String: Any] ?? [:]
        var resources = linux["resources"] as? [String: Any] ?? [:]
        if let bytes { resources["memory"] = ["limit": bytes] }
        if let percent { resources["cpu"] = ["quota": Int(percent * 1000), "period": 100_000] }
        linux["resources"] = resources
        configuration["linux"] = linux
        let data = try JSONSerialization.data(
            withJSONObject: configuration, options: [.sortedKeys, .prettyPrinted])
        try data.write(to: URL(fileURLWithPath: directory + "/config.json"))
    }
}
