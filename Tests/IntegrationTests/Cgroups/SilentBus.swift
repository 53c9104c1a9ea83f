import Foundation

/// Something that listens where D-Bus should, and does what D-Bus should not.
final class SilentBus: Sendable {
    enum Manners: String, CaseIterable, Sendable {
        case silent
        case hangsUp
        case saysNo
        case talksNonsense
        case talksForEver
        /// Logs in, then says nothing.
        case silentAfterLogin
        /// Logs in, then announces a message of 4 GiB.
        case hostileAfterLogin
        case hangsUpAfterLogin
    }

    let path: String
    private let socket: Int32

    convenience init(_ manners: Manners, at path: String) throws {
        try self.init(at: path) { Self.serve($0, manners) }
    }

    /// Passes one client on to the real bus, and is gone for all others.
    convenience init(forOneClientAt path: String) throws {
        try self.init(at: path, isForOne: true) { client in
            defer { _ = closeDescriptor(client) }
            guard let bus = try? connect(to: "/run/dbus/system_bus_socket") else { return }
            defer { _ = closeDescriptor(bus) }
            Self.pass(client, bus)
        }
    }

    private init(
        at path: String, isForOne: Bool = false, serve: @escaping @Sendable (Int32) -> Void
    ) throws {
        self.path = path
        socket = newSocket()
        let bound = withAddress(path) { bind(socket, $0, $1) }
        guard bound == 0, listen(socket, 4) == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        let listener = socket
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                if client < 0 { return }
                if isForOne { unlink(path) }
                serve(client)
            }
        }
    }

    var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=" + path
        return environment
    }

    func close() {
        shutdown(socket, Int32(SHUT_RDWR))
        _ = closeDescriptor(socket)
    }

    /// Until one of them hangs up.
    private static func pass(_ client: Int32, _ bus: Int32) {
        var both = [client, bus].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var bytes = [UInt8](repeating: 0, count: 65536)
        while poll(&both, 2, -1) > 0 {
            for (from, to) in [(0, bus), (1, client)] where both[from].revents != 0 {
                let count = recv(both[from].fd, &bytes, bytes.count, 0)
                guard count > 0, send(to, bytes, count, Int32(MSG_NOSIGNAL)) == count else { return }
            }
        }
    }

    /// The client closes the connection when it has had enough.
    private static func serve(_ client: Int32, _ manners: Manners) {
        defer { _ = closeDescriptor(client) }
        switch manners {
        case .silent: break
        case .hangsUp: return
        case .saysNo: say(client, "REJECTED ANONYMOUS\r\n")
        case .talksNonsense: say(client, String(repeating: "\u{1}nonsense ", count: 500))
        case .talksForEver: say(client, String(repeating: "x", count: 1000))
        case .silentAfterLogin, .hostileAfterLogin, .hangsUpAfterLogin:
            guard login(client) else { return }
            if manners == .hangsUpAfterLogin { return }
            if manners == .hostileAfterLogin {
                let head: [UInt8] = [
                    0x6c, 2, 0, 1, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
                ]
                _ = head.withUnsafeBytes { send(client, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL)) }
            }
        }
        while hear(client) != nil {}
    }

    private static func login(_ client: Int32) -> Bool {
        var heard = ""
        while !heard.contains("AUTH EXTERNAL\r\n") {
            guard let more = hear(client) else { return false }
            heard += more
        }
        say(client, "OK 0123456789abcdef0123456789abcdef\r\n")
        while !heard.contains("BEGIN\r\n") {
            guard let more = hear(client) else { return false }
            heard += more
        }
        return true
    }

    private static func say(_ client: Int32, _ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { send(client, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    private static func hear(_ client: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(client, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }
}

/// `close` and `socket` are also names of ours.
private func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func newSocket() -> Int32 {
    socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
}

private func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
}

private func connect(to path: String) throws -> Int32 {
    let socket = newSocket()
    guard withAddress(path, { connect(socket, $0, $1) }) == 0 else {
        defer { _ = closeDescriptor(socket) }
        throw POSIXError(.init(rawValue: errno) ?? .EIO)
    }
    return socket
}
