internal import CLinux
internal import Diagnostics
internal import JSON
internal import Linux
internal import OCI
internal import Plan
internal import Store

/// The hooks of one container.
struct Hooks {
    let spec: Spec
    let id: String
    /// Absolute.
    let bundle: String

    /// The annotations by which crun has hooks' output appended to files on the host.
    private static let outputAnnotation: StaticString = "run.oci.hooks.stdout"
    private static let errorsAnnotation: StaticString = "run.oci.hooks.stderr"

    init(spec: Spec, id: String, bundle: String) {
        self.spec = spec
        self.id = id
        self.bundle = bundle
    }

    /// Those of a container that is there; nil without any.
    init?(_ container: borrowing LiveContainer) throws(Failure) {
        guard let record = container.record, record.hasHooks else { return nil }
        self.init(
            spec: try Spec.load(json: try container.entry.config()), id: record.id, bundle: record.bundle)
    }

    /// Runs the hooks of a point in their order, on the host.
    ///
    /// - Parameter pid: of the container's process; 0 when it has none any more.
    /// - Throws: what the first one that fails did; those after it are not run.
    func run(_ point: HookPoint, pid: Int32) throws(Failure) {
        for index in point.hooks(of: spec).indices {
            try run(point, index, pid) { (hook, streams, _) throws(Failure) in
                try HookProcess.spawn(hook, directory: bundle, streams: streams)
            }
        }
    }

    /// Runs the hooks of a point in their order, in the container's namespaces.
    func run(_ point: HookPoint, in site: borrowing HookSite) throws(Failure) {
        let ownsStreams =
            annotation(Hooks.outputAnnotation) == nil && annotation(Hooks.errorsAnnotation) == nil
        for index in point.hooks(of: spec).indices {
            let joining = JoiningHook(
                point.hooks(of: spec)[index], point == .startContainer ? .asProcess : .beforeRoot,
                index: index,
                ownsStreams: ownsStreams)
            try run(point, index, site.innerPID) { (_, streams, deadline) throws(Failure) in
                try site.spawn(joining, spec, streams: streams, deadline: deadline)
            }
        }
    }

    /// Runs the hooks of a container that is gone. A failure is a warning, and the others run all the same
    /// (runtime.md, "Lifecycle", 13).
    func runAfterEnd(warn: (String) -> Void) {
        for index in spec.hooks.poststop.indices {
            do throws(Failure) {
                try run(.poststop, index, 0) { (hook, streams, _) throws(Failure) in
                    try HookProcess.spawn(hook, directory: bundle, streams: streams)
                }
            } catch {
                warn(error.description)
            }
        }
    }

    private typealias Spawn =
        (Spec.Hook, borrowing HookStreams, _ deadline: Int64?) throws(Failure) -> HookProcess?

    private func run(
        _ point: HookPoint, _ index: Int, _ pid: Int32, _ spawn: Spawn
    ) throws(Failure) {
        let hook = point.hooks(of: spec)[index]
        do throws(Failure) {
            var streams = try HookStreams.open(
                state: state(point.status, pid), outputFile: annotation(Hooks.outputAnnotation),
                errorsFile: annotation(Hooks.errorsAnnotation))
            let deadline = hook.timeout.map { clinux_monotonic() + Int64(clamping: $0).seconds }
            let process = try spawn(hook, streams, deadline)
            streams.closeTheirs()
            switch consume process {
            case .some(let process):
                // The signal that ended the start is still pending when the hooks run that clean up after it.
                let status = try process.wait(
                    until: deadline, isInterruptible: point != .poststop, &streams)
                try Hooks.check(status, hook, streams)
            case .none: try Hooks.check(nil, hook, streams)
            }
        } catch {
            throw Hooks.located(error, "\(point.property)[\(index)]")
        }
    }

    /// The place of what is about the hook's program; the hook's property is put before it.
    static let program = "path"

    private static func located(_ failure: Failure, _ hook: String) -> Failure {
        guard let place = failure.place else { return failure.located(at: hook) }
        if place.utf8.elementsEqual(program.utf8) {
            return Failure(failure.kind, failure.message, at: "\(hook).\(program)", cause: failure.cause)
        }
        if place.utf8.starts(with: hook.utf8) { return failure }
        return Failure(failure.kind, "\(place): \(failure.message)", at: hook, cause: failure.cause)
    }

    private static func check(
        _ status: WaitStatus?, _ hook: Spec.Hook, _ streams: borrowing HookStreams
    ) throws(Failure) {
        guard let status else {
            throw Failure(
                .system,
                "\(hook.path) was killed, since it ran for more than \(hook.timeout ?? 0) s\(streams.description)"
            )
        }
        if let signal = status.signal {
            throw Failure(.system, "\(hook.path) was killed by signal \(signal)\(streams.description)")
        }
        if status.code != 0 {
            throw Failure(.system, "\(hook.path) exited with code \(status.code)\(streams.description)")
        }
    }

    /// The state document (runtime.md, "State") in one line.
    func state(_ status: Status, _ pid: Int32) -> [UInt8] {
        var json = JSONWriter(.compact)
        json.beginObject()
        json.member("ociVersion", Spec.implementedVersion)
        json.member("id", id)
        json.member("status", status.rawValue)
        if pid > 0 { json.member("pid", pid) }
        json.member("bundle", bundle)
        if !spec.annotations.isEmpty {
            json.key("annotations")
            json.beginObject()
            for entry in sortedAnnotations { json.member(entry.key, entry.value) }
            json.endObject()
        }
        json.endObject()
        return json.bytes
    }

    private var sortedAnnotations: [Spec.Entry] {
        spec.annotations.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    private func annotation(_ name: StaticString) -> String? {
        spec.annotations.first { $0.key.utf8.elementsEqual(name.description.utf8) && !$0.value.isEmpty }?
            .value
    }
}

extension Int64 {
    /// So many seconds in nanoseconds; a timeout beyond the clock's range is none.
    fileprivate var seconds: Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: 1_000_000_000)
        return overflow || product > Int64.max / 2 ? Int64.max / 2 : product
    }
}
