internal import CLinux
internal import DBus
public import Diagnostics
internal import Linux

/// systemd as D-Bus shows it (org.freedesktop.systemd1(5)): the few calls that a command makes, on one connection.
public final class SystemdManager {
    private let bus: Connection

    /// All calls of a connection together may take so long, in seconds.
    private static let patience: Int32 = 9
    private static let place = "systemd"
    private static let service = "org.freedesktop.systemd1"
    private static let path = "/org/freedesktop/systemd1"
    private static let interface = "org.freedesktop.systemd1.Manager"

    /// - Parameter isUser: the user's own instance, not the system's.
    public init(isUser: Bool) throws(Failure) {
        do throws(Failure) {
            bus = try Connection(try SystemdManager.address(isUser: isUser), seconds: SystemdManager.patience)
        } catch {
            throw error.located(at: SystemdManager.place)
        }
    }

    private static func address(isUser: Bool) throws(Failure) -> Address {
        let variable = isUser ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS"
        if let text = value(of: variable) { return try Address(text, place: variable) }
        guard isUser else { return Address(socket: "/run/dbus/system_bus_socket") }
        guard let directory = value(of: "XDG_RUNTIME_DIR") else {
            throw Failure(
                .unsupported,
                "the user's bus is not known: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set")
        }
        return Address(socket: directory + "/bus")
    }

    private static func value(of variable: String) -> String? {
        guard let value = clinux_getenv(variable).map({ String(cString: $0) }), !value.isEmpty else {
            return nil
        }
        return value
    }

    // MARK: Calls

    private func call(_ member: String, _ body: [Value]) throws(Failure) -> Connection.Reply {
        do throws(Failure) {
            return try bus.call(
                Connection.Call(
                    to: SystemdManager.service, path: SystemdManager.path,
                    interface: SystemdManager.interface,
                    member, body))
        } catch {
            throw error.located(at: SystemdManager.place)
        }
    }

    /// A property of the manager's own, a string.
    private func property(_ name: String) throws(Failure) -> String {
        let reply: Connection.Reply
        do throws(Failure) {
            reply = try bus.call(
                Connection.Call(
                    to: SystemdManager.service, path: SystemdManager.path,
                    interface: "org.freedesktop.DBus.Properties", "Get",
                    [.string(SystemdManager.interface), .string(name)]))
        } catch {
            throw error.located(at: SystemdManager.place)
        }
        switch reply {
        case .success(let values, _):
            guard let text = values.first?.content?.text else { throw SystemdManager.strange("Get") }
            return text
        case .failure(let error): throw SystemdManager.refused("Get", error)
        }
    }

    /// Where all its units are, from the root of the hierarchy; empty for the root.
    public func controlGroup() throws(Failure) -> String { try property("ControlGroup") }

    /// The number in `257.4-1~deb13u1` or `v257`; 0 when there is none.
    public func version() throws(Failure) -> Int {
        let text = try property("Version")
        let digits = text.utf8.drop { $0 == UInt8(ascii: "v") }.prefix { $0 &- UInt8(ascii: "0") < 10 }
        return Int(String(Substring(digits))) ?? 0
    }

    /// Starts a transient unit, and returns when it has started.
    ///
    /// - Parameter made: true when there may be a unit of ours from then on, also when this throws.
    func start(_ unit: String, _ properties: [UnitProperty], made: inout Bool) throws(Failure) {
        try listen()
        var reply = try begin(unit, properties, &made)
        if case .failure(let error) = reply, SystemdManager.isError(error, "UnitExists") {
            // One that has failed is in nobody's use.
            resetFailed(unit)
            reply = try begin(unit, properties, &made)
        }
        let result: String
        switch reply {
        case .success(let values, let sender): result = try wait(values, sender)
        case .failure(let error):
            made = false
            if SystemdManager.isError(error, "UnitExists") {
                throw Failure(
                    .exists, "there is a unit \(unit) already, which is not the container's",
                    at: SystemdManager.place)
            }
            throw SystemdManager.refused("StartTransientUnit", error, about: unit)
        }
        guard result.utf8.elementsEqual("done".utf8) else {
            throw Failure(.system, "unit \(unit) did not start: \(result)", at: SystemdManager.place)
        }
    }

    private func begin(
        _ unit: String, _ properties: [UnitProperty], _ made: inout Bool
    ) throws(Failure) -> Connection.Reply {
        // When no answer comes it may have been made all the same.
        made = true
        return try call(
            "StartTransientUnit",
            [
                .string(unit), .string("fail"), SystemdManager.encoded(properties),
                .array(of: "(sa(sv))", []),
            ])
    }

    private static func encoded(_ properties: [UnitProperty]) -> Value {
        .array(of: "(sv)", properties.map { .structure([.string($0.name), .variant($0.value)]) })
    }

    /// Changes a unit's properties: all, or none. They hold until it ends.
    func set(_ unit: String, _ properties: [UnitProperty]) throws(Failure) {
        if properties.isEmpty { return }
        let reply = try call(
            "SetUnitProperties", [.string(unit), .boolean(true), SystemdManager.encoded(properties)])
        if case .failure(let error) = reply {
            throw SystemdManager.refused("SetUnitProperties", error, about: unit)
        }
    }

    /// Stops a unit and returns when it is gone. One that is gone already is no error.
    func stop(_ unit: String) throws(Failure) {
        try listen()
        switch try call("StopUnit", [.string(unit), .string("replace")]) {
        case .success(let values, let sender): _ = try wait(values, sender)
        case .failure(let error):
            if SystemdManager.isError(error, "NoSuchUnit") { return }
            throw SystemdManager.refused("StopUnit", error, about: unit)
        }
        resetFailed(unit)
        try waitUntilGone(unit)
    }

    private func resetFailed(_ unit: String) {
        // One that has not failed, or is gone, is as wanted.
        _ = try? call("ResetFailedUnit", [.string(unit)])
    }

    /// systemd forgets a unit a moment after it has ended; until then its name is taken.
    private func waitUntilGone(_ unit: String) throws(Failure) {
        var pause: Int32 = 1
        var left = SystemdManager.patience * 1000
        while left > 0 {
            if case .failure(let error) = try call("GetUnit", [.string(unit)]) {
                if SystemdManager.isError(error, "NoSuchUnit") { return }
                throw SystemdManager.refused("GetUnit", error, about: unit)
            }
            clinux_sleep(pause)
            left -= pause
            pause = min(pause * 2, 64)
        }
        throw Failure(.system, "does not forget unit \(unit), which has ended", at: SystemdManager.place)
    }

    // MARK: Jobs

    /// Before the job there is: its end may be told at once.
    private func listen() throws(Failure) {
        do throws(Failure) {
            try bus.addMatch(
                "type='signal',sender='\(SystemdManager.service)',path='\(SystemdManager.path)',"
                    + "interface='\(SystemdManager.interface)',member='JobRemoved'")
        } catch {
            throw error.located(at: SystemdManager.place)
        }
    }

    /// Waits for the end of a job.
    ///
    /// - Parameters:
    ///   - values: the reply that named it.
    ///   - sender: who that came from: anybody may send us a signal of this name.
    /// - Returns: `done`, or how it ended otherwise.
    private func wait(_ values: [Value], _ sender: String) throws(Failure) -> String {
        guard let job = values.first?.text else { throw SystemdManager.strange("a call that makes a job") }
        do throws(Failure) {
            let signal = try bus.signal { message in
                (message.member ?? "").utf8.elementsEqual("JobRemoved".utf8)
                    && (message.sender ?? "").utf8.elementsEqual(sender.utf8) && message.body.count == 4
                    && (message.body[1].text ?? "").utf8.elementsEqual(job.utf8)
            }
            return signal.body[3].text ?? ""
        } catch {
            throw error.located(at: SystemdManager.place)
        }
    }

    private static func isError(_ error: Connection.RemoteError, _ name: StaticString) -> Bool {
        error.name.utf8.elementsEqual((service + "." + name.description).utf8)
    }

    private static func refused(
        _ call: String, _ error: Connection.RemoteError, about unit: String? = nil
    ) -> Failure {
        Connection.refused(unit.map { call + " of " + $0 } ?? call, error).located(at: place)
    }

    private static func strange(_ call: String) -> Failure {
        Failure(.system, "the answer to \(call) is not what it is to be", at: place)
    }
}
