internal import Diagnostics
internal import OCI

// blockIO.weight         v1 blkio.bfq.weight          v2 io.bfq.weight; io.weight, converted, without BFQ
// blockIO.weightDevice   v1 blkio.bfq.weight_device   v2 the same files, a line for each device
// blockIO.throttle…      v1 blkio.throttle.…          v2 io.max, a line for each device
extension ResourceSettings {
    private typealias BlockIO = Spec.Linux.Resources.BlockIO
    private static let place = "linux.resources.blockIO"

    mutating func add(_ blockIO: Spec.Linux.Resources.BlockIO) throws(Failure) {
        if let weight = blockIO.weight, weight != 0 {
            try addWeight(weight, of: nil, Self.place + ".weight")
        }
        if blockIO.leafWeight ?? 0 != 0 { throw Self.leafWeight(Self.place + ".leafWeight") }
        for (index, device) in blockIO.weightDevice.enumerated() {
            let place = "\(Self.place).weightDevice[\(index)]"
            if device.leafWeight ?? 0 != 0 { throw Self.leafWeight(place + ".leafWeight") }
            guard let weight = device.weight, weight != 0 else { continue }
            try addWeight(weight, of: try Self.number(device.major, device.minor, place), place + ".weight")
        }
        try addLimits(blockIO.throttleReadBpsDevice, "read_bps", "rbps", "throttleReadBpsDevice")
        try addLimits(blockIO.throttleWriteBpsDevice, "write_bps", "wbps", "throttleWriteBpsDevice")
        try addLimits(blockIO.throttleReadIOPSDevice, "read_iops", "riops", "throttleReadIOPSDevice")
        try addLimits(blockIO.throttleWriteIOPSDevice, "write_iops", "wiops", "throttleWriteIOPSDevice")
    }

    /// - Parameter device: `8:0`; nil for those that have no weight of their own.
    private mutating func addWeight(_ weight: UInt16, of device: String?, _ place: String) throws(Failure) {
        guard weight <= 1000 else { throw Failure(.invalid, "must be 10…1000", at: place) }
        let prefix = device.map { $0 + " " } ?? ""
        switch version {
        case .v1:
            let file = device == nil ? "blkio.bfq.weight" : "blkio.bfq.weight_device"
            add(Setting(controller: "blkio", file: file, value: prefix + String(weight), place: place))
        case .v2:
            let other = Setting.Fallback(
                file: "io.weight", value: prefix + String(IOWeight.weight(ofBlockIO: weight)))
            add(
                Setting(
                    controller: "io", file: "io.bfq.weight", value: prefix + String(weight), place: place,
                    fallback: other))
        }
    }

    /// A rate of 0 is none on version 1; on version 2 the kernel wants another word for it.
    private mutating func addLimits(
        _ devices: [Spec.Linux.Resources.ThrottleDevice], _ file: StaticString, _ key: StaticString,
        _ property: StaticString
    ) throws(Failure) {
        for (index, device) in devices.enumerated() {
            let place = "\(Self.place).\(property)[\(index)]"
            let number = try Self.number(device.major, device.minor, place)
            let rate = String(device.rate)
            switch version {
            case .v1:
                add(
                    Setting(
                        controller: "blkio", file: "blkio.throttle.\(file)_device",
                        value: number + " " + rate,
                        place: place))
            case .v2:
                add(
                    Setting(
                        controller: "io", file: "io.max",
                        value: "\(number) \(key)=\(device.rate == 0 ? "max" : rate)", place: place))
            }
        }
    }

    private static func number(_ major: Int64, _ minor: Int64, _ place: String) throws(Failure) -> String {
        guard major >= 0, minor >= 0 else {
            throw Failure(.invalid, "must have a major and a minor number from 0 on", at: place)
        }
        return "\(major):\(minor)"
    }

    private static func leafWeight(_ place: String) -> Failure {
        Failure(
            .unsupported, "leaf weights were the CFQ scheduler's, which is gone since Linux 5.0", at: place)
    }
}
