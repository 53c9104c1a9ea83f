import Foundation
import Testing

/// What a hook found when it ran: the lines of Tests' own script, by section.
struct HookReport {
    let sections: [String: [String]]

    /// The script, for the host's shell and for that of a root file system alike. Its arguments: the file to write.
    static let script = """
        #!/bin/sh
        exec 9>"$1"
        {
        echo @state; cat; echo
        echo @args; for word; do echo "$word"; done
        echo @cwd; pwd
        echo @env; tr '\\0' '\\n' </proc/self/environ
        echo @status; cat /proc/self/status
        echo @ns; for name in cgroup ipc mnt net pid user uts; do
        echo "$name $(readlink /proc/self/ns/$name)"; done
        echo @root; ls /
        echo @cgroup; cat /proc/self/cgroup
        echo @limits; grep -E 'open files|core' /proc/self/limits
        echo @score; cat /proc/self/oom_score_adj
        echo @stdin; readlink /proc/$$/fd/0
        echo @session; cut -d ' ' -f 5,6 /proc/$$/stat
        } >&9 2>&1
        exec 9>&-
        mv "$1" "$1.done"

        """

    init(_ path: String) throws {
        var sections: [String: [String]] = [:]
        var name = ""
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            if line.first == "@" {
                name = String(line.dropFirst())
                sections[name] = []
            } else {
                sections[name, default: []].append(String(line))
            }
        }
        self.sections = sections
    }

    subscript(_ section: String) -> [String] { sections[section] ?? [] }

    var state: [String: Any] {
        get throws {
            let text = try #require(self["state"].first)
            return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }
    }

    /// Namespace by name, as `net:[4026531833]`.
    var namespaces: [String: String] {
        var found: [String: String] = [:]
        for line in self["ns"] {
            let words = line.split(separator: " ")
            if words.count == 2 { found[String(words[0])] = String(words[1]) }
        }
        return found
    }

    /// A line of /proc/self/status, its words single-spaced.
    func status(_ key: String) -> String? {
        statusValue(key, in: self["status"].joined(separator: "\n"))?.split { $0 == "\t" || $0 == " " }
            .joined(separator: " ")
    }

    /// What must be the same with runc: who the hook is and what it may do.
    var identity: [String] {
        let keys = [
            "Umask", "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
            "Seccomp", "SigBlk",
        ]
        return keys.map { "\($0) \(status($0) ?? "-")" }
    }
}

extension TestContainer {
    /// All points, in the order of the lifecycle.
    static let hookPoints = [
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    ]

    /// Where hooks and the container leave files: seen by both as /reports in the root file system.
    var reports: String { rootfs + "/reports" }

    /// The path of a file among the reports, as a hook of the point sees it.
    func seen(_ point: String, _ file: String) -> String {
        (point == "startContainer" ? "/reports/" : reports + "/") + file
    }

    /// Puts the script on the host and into the root file system.
    func putReportScript() throws {
        try Rootfs.write(HookReport.script, to: directory.path + "/report")
        try Rootfs.write(HookReport.script, to: rootfs + "/bin/report")
        try FileManager.default.createDirectory(atPath: reports, withIntermediateDirectories: true)
        chmod(reports, 0o777)
    }

    /// A hook that reports to the file, and what else the configuration is to say of it.
    func reporting(_ point: String, _ file: String? = nil, _ more: JSON = [:]) -> JSON {
        let program = point == "startContainer" ? "/bin/report" : directory.path + "/report"
        var hook: JSON = [
            "path": program, "args": ["report", seen(point, file ?? point), "second word"],
            "env": ["HOOK=\(point)", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
        ]
        hook.merge(more) { $1 }
        return hook
    }

    /// A hook that is a shell script; `{file}` in it is a file among the reports.
    func shell(_ point: String, _ script: String, _ more: JSON = [:]) -> JSON {
        let script = script.replacing("{reports}/", with: seen(point, ""))
        var hook: JSON = ["path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin:/bin"]]
        hook.merge(more) { $1 }
        return hook
    }

    func report(_ name: String) throws -> HookReport { try HookReport(reports + "/" + name + ".done") }

    func hasReport(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: reports + "/" + name + ".done")
    }

    /// Lines that hooks have appended to the file `order`.
    var order: [String] {
        ((try? String(contentsOfFile: reports + "/order", encoding: .utf8)) ?? "").split(separator: "\n")
            .map(String.init)
    }

    /// Nothing of the container is left but what its bundle holds.
    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let traces = try await Traces.of(self)
        #expect(
            traces.mounts == [] && traces.cgroups == [] && traces.state == [], "\(traces)",
            sourceLocation: sourceLocation)
        #expect(try Host.processes(of: id).isEmpty, sourceLocation: sourceLocation)
    }
}
