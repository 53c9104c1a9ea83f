public import Diagnostics
public import OCI

/// What a configuration must obey beyond its types. Pure: what only the host can tell (whether a file is
/// there, whether the kernel agrees) is not looked at.
///
/// Each rule is a small function; the first one broken is the failure. Where a peer would go on with a
/// property dropped, this is an error: a container does not start with less than its configuration says.
public enum Validator {
    /// Checks a whole configuration.
    ///
    /// - Throws: `invalid`, or `unsupported` for what is right and not executed yet; both with the JSON path.
    public static func check(_ spec: Spec) throws(Failure) {
        let place = Place("")
        try checkVersion(spec, place)
        try checkRoot(spec, place)
        guard let process = spec.process else { throw place.failure("process", "is required") }
        try check(process, at: Place("process"))
        try checkHostNames(spec, place)
        try checkMounts(spec, place)
        if !spec.hooks.isEmpty { try checkHooks(spec.hooks) }
        guard let linux = spec.linux else { return try Unsupported.check(spec) }
        try check(linux, at: Place("linux"))
        try Unsupported.check(spec)
        try Unsupported.check(process, Place("process"))
        try Unsupported.check(linux)
    }

    /// Checks the document that `exec --process` is given.
    ///
    /// - Throws: as for a configuration; paths begin at the document's root.
    public static func check(_ process: Spec.Process) throws(Failure) {
        try check(process, at: Place(""))
        try Unsupported.check(process, Place(""))
    }

    /// Checks the document that `update --resources` is given.
    ///
    /// - Throws: as for a configuration; paths begin at the document's root.
    public static func check(_ resources: Spec.Linux.Resources) throws(Failure) {
        try check(resources, at: Place(""))
    }

    private static func check(_ linux: Spec.Linux, at place: Place) throws(Failure) {
        try checkNamespaces(linux, place)
        try checkPropagation(linux, place)
        try checkCoveredPaths(linux, place)
        try checkSysctls(linux, place)
        try checkDevices(linux, place)
        try checkPersonality(linux, place)
        try checkCgroupsPath(linux, place)
        if let seccomp = linux.seccomp {
            try checkSeccompActions(seccomp, Place("linux.seccomp"))
            try checkSeccompRules(seccomp, Place("linux.seccomp"))
        }
        if let resources = linux.resources { try check(resources, at: Place("linux.resources")) }
    }

    private static func check(_ process: Spec.Process, at place: Place) throws(Failure) {
        try checkArguments(process, place)
        try checkWorkingDirectory(process, place)
        try checkEnvironment(process, place)
        try checkUser(process, place)
        try checkCapabilities(process, place)
        try checkRlimits(process, place)
        try checkOOMScore(process, place)
        try checkConsoleSize(process, place)
    }

    private static func check(_ resources: Spec.Linux.Resources, at place: Place) throws(Failure) {
        try checkDeviceRules(resources, place)
        try checkHugepages(resources, place)
        try checkPriorities(resources, place)
        try checkRdma(resources, place)
        try checkUnified(resources, place)
    }
}

/// Where in a document a check looks. The text of a path is only made for a failure.
struct Place: Sendable {
    /// JSON path of the subject; empty for the document itself.
    private let path: StaticString

    init(_ path: StaticString) {
        self.path = path
    }

    /// A failure about something in the subject, `args[0]` for instance.
    func failure(_ inside: String, _ message: String, _ kind: Failure.Kind = .invalid) -> Failure {
        let path = path.description
        return Failure(kind, message, at: path.isEmpty ? inside : inside.isEmpty ? path : "\(path).\(inside)")
    }

    /// A failure about a property of an element of the subject, which is an array.
    func element(_ index: Int, _ property: String, _ message: String) -> Failure {
        Failure(.invalid, message, at: "\(path)[\(index)].\(property)")
    }
}

extension Validator {
    /// The path of a property whose name is data: `sysctl["vm.swappiness"]`.
    static func member(_ object: StaticString, _ name: String) -> String { "\(object)[\(quoted(name))]" }

    /// The text in double quotes, with what could break a line of a log escaped.
    static func quoted(_ text: String) -> String { text.debugDescription }

    static func isAbsolute(_ path: String) -> Bool { path.utf8.first == UInt8(ascii: "/") }

    /// Whether a component of the path is `..`.
    static func climbs(_ path: String) -> Bool {
        var climbs = false
        forEachComponent(path) { climbs = climbs || $0 == .parent }
        return climbs
    }

    /// Whether the path, taken from "/", is "/" once its `.` and `..` are worked out.
    static func isRoot(_ path: String) -> Bool {
        var depth = 0
        forEachComponent(path) { component in
            switch component {
            case .empty, .current: break
            case .parent: depth = max(0, depth - 1)
            case .name: depth += 1
            }
        }
        return depth == 0
    }

    enum PathComponent { case empty, current, parent, name }

    /// What lies between the slashes of a path, its beginning and its end; without making arrays of it.
    static func forEachComponent(_ path: String, _ body: (PathComponent) -> Void) {
        var length = 0
        var onlyDots = true
        func finish() {
            switch length {
            case 0: body(.empty)
            case 1 where onlyDots: body(.current)
            case 2 where onlyDots: body(.parent)
            default: body(.name)
            }
            (length, onlyDots) = (0, true)
        }
        for byte in path.utf8 {
            if byte == UInt8(ascii: "/") {
                finish()
            } else {
                length += 1
                if byte != UInt8(ascii: ".") { onlyDots = false }
            }
        }
        finish()
    }

    /// What chown(2) and setresuid(2) take for "leave as it is".
    static let noID = UInt32.max
}
