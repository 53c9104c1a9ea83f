import Diagnostics
import OCI

@testable import Plan

/// A configuration that no check objects to: the one of the specification's examples in small.
func validSpec() -> Spec {
    var spec = Spec()
    spec.ociVersion = "1.0.2"
    spec.root = .init(path: "rootfs")
    spec.process = .init(cwd: "/", args: ["sh"])
    spec.linux = .init()
    spec.linux?.namespaces = [
        .init(.pid), .init(.network), .init(.ipc), .init(.uts), .init(.mount), .init(.cgroup),
    ]
    return spec
}

/// What the validator says to the valid configuration after `change`; nil when it says nothing.
func objection(_ change: (inout Spec) -> Void) -> String? {
    var spec = validSpec()
    change(&spec)
    do {
        try Validator.check(spec)
        return nil
    } catch {
        return error.description
    }
}

func processObjection(_ change: (inout Spec.Process) -> Void) -> String? {
    objection { change(&$0.process!) }
}

func linuxObjection(_ change: (inout Spec.Linux) -> Void) -> String? {
    objection { change(&$0.linux!) }
}

func resourcesObjection(_ change: (inout Spec.Linux.Resources) -> Void) -> String? {
    linuxObjection {
        var resources = Spec.Linux.Resources()
        change(&resources)
        $0.resources = resources
    }
}
