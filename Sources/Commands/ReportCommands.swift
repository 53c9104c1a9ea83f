internal import Diagnostics
internal import JSON
internal import Runtime
internal import Store

/// The commands that tell what is there: `state` and `list`.
enum ReportCommands {
    @Sendable static func state(_ invocation: Invocation) throws(Failure) -> CInt {
        let report = try Operations.state(
            id: invocation.positionals[0], root: try invocation.globals.stateRoot(),
            states: try invocation.stateDirectory())
        try Output.standard(stateText(report))
        return 0
    }

    @Sendable static func list(_ invocation: Invocation) throws(Failure) -> CInt {
        let (reports, failures) = try Operations.list(
            root: try invocation.globals.stateRoot(), states: try invocation.stateDirectory())
        // One container that cannot be read is no reason to tell nothing of the others.
        for failure in failures { invocation.log.warning(failure.description) }
        if invocation.flags.has(Flags.quiet) {
            try Output.standard(reports.map { $0.id + "\n" }.joined())
        } else if invocation.flags[Flags.format] == "json" {
            try Output.standard(listJSON(reports, owners: OwnerNames.ofThisHost()))
        } else {
            try Output.standard(listTable(reports, owners: OwnerNames.ofThisHost()))
        }
        return 0
    }

    /// `state`'s document. The owner is empty, as runc leaves it there; `list` has the name.
    static func stateText(_ report: ContainerReport) -> String {
        var json = JSONWriter(.indented)
        report.write(to: &json, owner: "")
        return json.text + "\n"
    }

    static func listJSON(_ reports: [ContainerReport], owners: OwnerNames) -> String {
        var json = JSONWriter(.compact)
        json.beginArray()
        for report in reports {
            report.write(to: &json, owner: owners.name(of: report.ownerUID))
        }
        json.endArray()
        return json.text + "\n"
    }

    /// Columns as runc sets them: at least 12 wide, 3 apart, nothing after the last.
    static func listTable(_ reports: [ContainerReport], owners: OwnerNames) -> String {
        var rows = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]]
        for report in reports {
            rows.append([
                report.id, String(report.pid), report.statusText, report.bundle, report.createdText,
                owners.name(of: report.ownerUID),
            ])
        }
        return TextTable.render(rows, minimumWidth: 12, gap: 3)
    }
}

extension ContainerReport {
    /// The version of the runtime-spec whose state document this is.
    static let ociVersion = Version.specification

    var createdText: String { Timestamp.rfc3339(nanosecondsSinceEpoch: created) }

    fileprivate func write(to json: inout JSONWriter, owner: String) {
        json.beginObject()
        json.member("ociVersion", ContainerReport.ociVersion)
        json.member("id", id)
        json.member("pid", pid)
        json.member("status", status.rawValue)
        json.member("bundle", bundle)
        json.member("rootfs", rootfs)
        json.member("created", createdText)
        if !annotations.isEmpty {
            json.key("annotations")
            json.beginObject()
            for (key, value) in annotations.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
            {
                json.member(key, value)
            }
            json.endObject()
        }
        json.member("owner", owner)
        supervision?.write(to: &json)
        json.endObject()
    }

    /// Of a supervised container with its exit code, when it has ended and that is known; `restarting` between two
    /// runs.
    fileprivate var statusText: String {
        guard let supervision, status == .stopped else { return status.rawValue }
        switch supervision.phase {
        case .restarting: return SupervisionStatus.Phase.restarting.rawValue
        case .running, .stopped:
            guard let end = supervision.status.end else { return status.rawValue }
            return "\(status.rawValue) (\(end.exitCode))"
        }
    }
}

extension SupervisionReport {
    /// What is not known, or is none, is left out.
    fileprivate func write(to json: inout JSONWriter) {
        json.key("supervision")
        json.beginObject()
        json.member("phase", phase.rawValue)
        // How an earlier run ended says nothing of one that runs.
        if phase != .running, let end = status.end {
            json.member("exitCode", end.exitCode)
            if end.signal != 0 { json.member("signal", end.signal) }
        }
        if status.started != 0 { json.member("startedAt", moment(status.started)) }
        if phase != .running, let end = status.end { json.member("finishedAt", moment(end.time)) }
        json.member("oomKilled", status.oomKilled)
        json.member("restartCount", status.restartCount)
        if let settings {
            json.member("restartPolicy", settings.restart.text)
            json.member("logDriver", settings.logDriver.rawValue)
            if let path = settings.logPath { json.member("logPath", path) }
        }
        if keeper != 0 { json.member("keeper", keeper) }
        if supervisor != 0 { json.member("supervisor", supervisor) }
        if !problem.isEmpty { json.member("problem", problem) }
        json.endObject()
    }

    private func moment(_ nanoseconds: Int64) -> String {
        Timestamp.rfc3339(nanosecondsSinceEpoch: nanoseconds)
    }
}
