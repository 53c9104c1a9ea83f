internal import DBus
internal import Diagnostics
internal import OCI

// What a scope is started with.
extension UnitProperty {
    /// Those that do not follow from resources.
    static func basic(_ scope: Scope, id: String, isUnified: Bool) -> [UnitProperty] {
        [
            UnitProperty("Description", .string("gantry container " + id)),
            UnitProperty("Slice", .string(scope.slice)),
            // The container may have cgroups of its own in it, and systemd leaves them alone.
            UnitProperty("Delegate", .boolean(true)),
            UnitProperty("MemoryAccounting", .boolean(true)),
            UnitProperty("CPUAccounting", .boolean(true)),
            UnitProperty(isUnified ? "IOAccounting" : "BlockIOAccounting", .boolean(true)),
            UnitProperty("TasksAccounting", .boolean(true)),
            // It does not have to wait for anything, nor to end before anything.
            UnitProperty("DefaultDependencies", .boolean(false)),
            // One that has failed goes, too.
            UnitProperty("CollectMode", .string("inactive-or-failed")),
        ]
    }

    /// What is told of devices, so that what systemd does about them never takes away what the container may use.
    ///
    /// It knows a list of what is allowed. A policy that is none is left to our own program alone, which it does not
    /// touch.
    static func devices(_ policy: DevicePolicy) -> [UnitProperty] {
        if let exceptions = try? DeviceExceptions(policy), !exceptions.allowsByDefault,
            let allowed = allowed(exceptions.exceptions)
        {
            return [
                UnitProperty("DevicePolicy", .string("strict")),
                UnitProperty("DeviceAllow", .array(of: "(ss)", allowed)),
            ]
        }
        return [
            UnitProperty("DevicePolicy", .string("auto")),
            UnitProperty("DeviceAllow", .array(of: "(ss)", [])),
        ]
    }

    /// The same for a unit that has some: setting a list adds to it, but an empty one clears it.
    static func replacing(_ policy: DevicePolicy) -> [UnitProperty] {
        [UnitProperty("DeviceAllow", .array(of: "(ss)", []))] + devices(policy)
    }

    /// systemd.resource-control(5), "DeviceAllow=". nil when one cannot be told.
    private static func allowed(_ exceptions: [DeviceExceptions.Exception]) -> [Value]? {
        var allowed: [Value] = []
        for exception in exceptions {
            let kind = exception.kind == .block ? "block" : "char"
            let specifier: String
            switch (exception.major, exception.minor) {
            case (let major?, let minor?): specifier = "/dev/\(kind)/\(major):\(minor)"
            case (let major?, nil): specifier = "\(kind)-\(major)"
            case (nil, nil): specifier = "\(kind)-*"
            case (nil, .some): return nil
            }
            allowed.append(.structure([.string(specifier), .string(exception.access.text)]))
        }
        return allowed
    }
}

// Annotations.
extension UnitProperty {
    private static let prefix = "org.systemd.property."

    /// `org.systemd.property.NAME`, whose value is GVariant's text.
    static func annotated(_ annotations: [Spec.Entry]) throws(Failure) -> [UnitProperty] {
        var properties: [UnitProperty] = []
        for annotation in annotations where annotation.key.utf8.starts(with: prefix.utf8) {
            let name = String(Substring(annotation.key.utf8.dropFirst(prefix.utf8.count)))
            do throws(Failure) {
                properties.set(try annotated(name, annotation.value))
            } catch {
                throw error.located(at: "annotations[\"\(annotation.key)\"]")
            }
        }
        return properties
    }

    /// Those that say which unit it is, and where, are ours.
    private static var reserved: [String] { ["Slice", "Delegate", "PIDs", "PIDFDs", "Scope"] }

    private static func annotated(_ name: String, _ text: String) throws(Failure) -> UnitProperty {
        let isName =
            name.utf8.count >= 3
            && name.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) }
        guard isName else { throw Failure(.invalid, "\"\(name)\" is no name of a unit's property") }
        if reserved.contains(where: { $0.utf8.elementsEqual(name.utf8) }) {
            throw Failure(.unsupported, "\(name) is set by gantry itself")
        }
        let value = try Value(text: text)
        // Files of units say TimeoutStopSec, D-Bus says TimeoutStopUSec.
        let stem = name.utf8.dropLast(3)
        guard name.utf8.suffix(3).elementsEqual("Sec".utf8), let last = stem.last,
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(last)
        else { return UnitProperty(name, value) }
        return UnitProperty(String(Substring(stem)) + "USec", .uint64(try microseconds(value)))
    }

    private static func microseconds(_ value: Value) throws(Failure) -> UInt64 {
        let seconds: UInt64?
        switch value {
        case .byte(let number): seconds = UInt64(number)
        case .int16(let number): seconds = UInt64(exactly: number)
        case .uint16(let number): seconds = UInt64(number)
        case .int32(let number): seconds = UInt64(exactly: number)
        case .uint32(let number): seconds = UInt64(number)
        case .int64(let number): seconds = UInt64(exactly: number)
        case .uint64(let number): seconds = number
        case .double(let number):
            let product = number * 1_000_000
            guard product >= 0, product < 1.8e19 else {
                throw Failure(.invalid, "must be a number of seconds")
            }
            return UInt64(product)
        default: seconds = nil
        }
        guard let seconds else { throw Failure(.invalid, "must be a number of seconds") }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        return overflow ? .max : product
    }
}
