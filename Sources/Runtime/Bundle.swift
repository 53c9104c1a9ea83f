internal import Diagnostics
internal import Linux
internal import OCI

/// A bundle on disk (runtime-spec, bundle.md): a directory with config.json and a root file system.
struct Bundle {
    /// Absolute path of the directory.
    let path: String
    /// config.json as it was read.
    let config: [UInt8]
    let spec: Spec

    /// No config.json of an engine comes near this; a device file would have no end.
    static let configLimit = 64 << 20

    /// Reads and decodes config.json. `path` may be relative to the working directory.
    static func load(_ path: String) throws(Failure) -> Bundle {
        let absolute = try Paths.absolute(path)
        let file = absolute + "/config.json"
        let descriptor = try Descriptor.open(file, O.readOnly)
        guard let bytes = try descriptor.readAll(limit: configLimit, name: file) else {
            throw Failure(.invalid, "must not be larger than \(configLimit >> 20) MiB", at: file)
        }
        return Bundle(path: absolute, config: bytes, spec: try Spec.load(json: bytes))
    }

    /// The root file system's canonical path, once it has been seen to be a directory.
    func resolveRootfs() throws(Failure) -> String {
        guard let root = spec.root, !root.path.isEmpty else {
            throw Failure(.invalid, "must be set", at: "root.path")
        }
        let path = root.path.utf8.first == UInt8(ascii: "/") ? root.path : self.path + "/" + root.path
        do {
            return try Paths.canonicalDirectory(path)
        } catch {
            throw error.located(at: "root.path")
        }
    }
}
