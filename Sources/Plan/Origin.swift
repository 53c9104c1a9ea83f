/// Which property of config.json an op comes from. Kept as parts: the text is only made when somebody reads
/// it.
public struct Origin: Sendable {
    /// `mounts`, `linux.devices`, `process.cwd`; empty for what no property asked for.
    let property: StaticString
    /// Position in the array, or -1.
    let index: Int32

    public static let none = Origin("")

    init(_ property: StaticString, _ index: Int = -1) {
        self.property = property
        self.index = Int32(truncatingIfNeeded: index)
    }

    /// The JSON path, such as `mounts[3]`; `nil` for what no property asked for.
    public var path: String? {
        guard property.utf8CodeUnitCount > 0 else { return nil }
        return index < 0 ? property.description : "\(property)[\(index)]"
    }
}
