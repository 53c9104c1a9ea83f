internal import OCI

/// A point of the lifecycle at which hooks run (runtime-spec, config.md "POSIX-platform Hooks", runtime.md
/// "Lifecycle").
enum HookPoint {
    /// With the container's mounts made and its root not entered yet, on the host. Deprecated, before `createRuntime`.
    case prestart
    case createRuntime
    /// The same moment, in the container's namespaces.
    case createContainer
    /// When `start` was called, as the container's process would run.
    case startContainer
    /// When the user's program runs, on the host.
    case poststart
    /// When the container is gone, on the host.
    case poststop

    /// The property of config.json.
    var property: StaticString {
        switch self {
        case .prestart: "hooks.prestart"
        case .createRuntime: "hooks.createRuntime"
        case .createContainer: "hooks.createContainer"
        case .startContainer: "hooks.startContainer"
        case .poststart: "hooks.poststart"
        case .poststop: "hooks.poststop"
        }
    }

    /// What the hooks are told of the container.
    var status: Status {
        switch self {
        case .prestart, .createRuntime, .createContainer: .creating
        case .startContainer: .created
        case .poststart: .running
        case .poststop: .stopped
        }
    }

    func hooks(of spec: Spec) -> [Spec.Hook] {
        switch self {
        case .prestart: spec.hooks.prestart
        case .createRuntime: spec.hooks.createRuntime
        case .createContainer: spec.hooks.createContainer
        case .startContainer: spec.hooks.startContainer
        case .poststart: spec.hooks.poststart
        case .poststop: spec.hooks.poststop
        }
    }
}
