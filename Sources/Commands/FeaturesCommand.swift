internal import Diagnostics
internal import JSON
internal import Runtime

/// `gantry features`: the document of runtime-spec's features.md.
enum FeaturesCommand {
    @Sendable static func features(_ invocation: Invocation) throws(Failure) -> CInt {
        try Output.standard(text(Features()))
        return 0
    }

    /// Annotations in config.json that change what gantry does on the host: whoever sets them must be trusted.
    private static let unsafeAnnotations = ["org.systemd.property.", "run.oci.hooks."]

    static func text(_ features: Features) -> String {
        var json = JSONWriter(.indented)
        json.beginObject()
        json.member("ociVersionMin", Features.oldestSpecification)
        json.member("ociVersionMax", Features.newestSpecification)
        json.member("hooks", features.hooks)
        json.member("mountOptions", features.mountOptions)
        json.key("linux")
        writeLinux(features, to: &json)
        json.key("annotations")
        json.beginObject()
        json.member("io.github.seccomp.libseccomp.version", Version.libseccomp)
        json.endObject()
        json.member("potentiallyUnsafeConfigAnnotations", unsafeAnnotations)
        json.endObject()
        return json.text + "\n"
    }

    private static func writeLinux(_ features: Features, to json: inout JSONWriter) {
        json.beginObject()
        json.member("namespaces", features.namespaces)
        json.member("capabilities", Features.capabilities)
        writeFlags(
            "cgroup",
            [
                ("v1", true), ("v2", true), ("systemd", true),
                ("systemdUser", false), ("rdma", features.hasRdma),
            ], to: &json)
        json.key("seccomp")
        json.beginObject()
        json.member("enabled", true)
        json.member("actions", features.seccompActions)
        json.member("operators", features.seccompOperators)
        json.member("archs", features.seccompArchitectures)
        json.member("knownFlags", features.seccompFlags.known)
        json.member("supportedFlags", features.seccompFlags.supported)
        json.endObject()
        writeFlags("apparmor", [("enabled", features.hasAppArmor)], to: &json)
        writeFlags("selinux", [("enabled", features.hasSELinux)], to: &json)
        writeFlags(
            "intelRdt",
            [
                ("enabled", features.intelRdt.isEnabled), ("schemata", features.intelRdt.hasSchemata),
                ("monitoring", features.intelRdt.hasMonitoring),
            ], to: &json)
        json.key("memoryPolicy")
        json.beginObject()
        json.member("modes", features.memoryPolicy.modes)
        json.member("flags", features.memoryPolicy.flags)
        json.endObject()
        json.key("mountExtensions")
        json.beginObject()
        writeFlags("idmap", [("enabled", features.hasIDMappedMounts)], to: &json)
        json.endObject()
        writeFlags("netDevices", [("enabled", features.hasNetDevices)], to: &json)
        json.endObject()
    }

    private static func writeFlags(
        _ name: String, _ flags: [(name: String, value: Bool)], to json: inout JSONWriter
    ) {
        json.key(name)
        json.beginObject()
        for flag in flags { json.member(flag.name, flag.value) }
        json.endObject()
    }
}
