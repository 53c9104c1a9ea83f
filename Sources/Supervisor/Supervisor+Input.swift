internal import CKeeper
internal import CLinux
internal import Diagnostics
internal import Keeper
internal import Linux
internal import Store

// What clients type, on its way to the container's standard input or terminal.
extension Supervisor {
    /// Bytes that wait at most; one message more may come.
    private static let mostInput = 64 << 10

    private var target: CInt { terminal.rawOrNone >= 0 ? terminal.rawOrNone : stdin.rawOrNone }

    var hasRoomForInput: Bool { input.count - inputStart < Supervisor.mostInput }

    func take(_ bytes: [UInt8]) {
        // Nobody will ever read it.
        guard settings.hasStdin || settings.hasTerminal || terminal.rawOrNone >= 0, !inputEnds else { return }
        input.append(contentsOf: bytes)
        writeInput()
    }

    /// Half-close: the container reads the end of its input behind what has been sent.
    func endInput() {
        if terminal.rawOrNone >= 0 {
            // A terminal has no end, but a character that stands for it.
            var mode = clinux_terminal_mode()
            guard clinux_terminal_mode(terminal.rawOrNone, &mode) == 0 else { return }
            let character = clinux_terminal_end_of_input(&mode)
            if character != 0 { take([UInt8(truncatingIfNeeded: character)]) }
            return
        }
        inputEnds = true
        writeInput()
    }

    func writeInput() {
        let hadRoom = hasRoomForInput
        while inputStart < input.count, target >= 0 {
            let count = input.withUnsafeBytes {
                clinux_write(target, $0.baseAddress! + inputStart, $0.count - inputStart)
            }
            if count == -Int(Errno.EAGAIN) { break }
            // The container has closed it: nobody reads any more.
            inputStart = count < 0 ? input.count : inputStart + count
        }
        if inputStart == input.count {
            input = []
            inputStart = 0
            unwatchInput()
            if inputEnds { closeInput() }
        } else if target >= 0, !stdinIsWatched {
            stdinIsWatched = true
            try? poller.add(target, .stdin, events: CLINUX_EVENT_OUT)
        }
        if inputStart >= Supervisor.mostInput {
            // It need never be empty: what has been passed on is let go of.
            input.removeFirst(inputStart)
            inputStart = 0
        }
        guard hasRoomForInput != hadRoom else { return }
        for case let client? in clients { updateEvents(client) }
    }

    func unwatchInput() {
        guard stdinIsWatched else { return }
        stdinIsWatched = false
        poller.remove(target)
    }

    private func closeInput() {
        guard stdin.rawOrNone >= 0 else { return }
        stdin = nil
        inputIsClosed = true
        guard !keeperIsLost else { return }
        do throws(Failure) {
            // Another connection: on ours news may come at any moment.
            var other = try KeeperConnection.connect(directory: arguments.directory)
            try other?.letGo(CKEEPER_STDIN)
        } catch {
            note(error.description)
        }
    }

    func resize(_ size: UInt32) {
        terminalSize = size
        if terminal.rawOrNone >= 0 { _ = clinux_terminal_set_size(terminal.rawOrNone, size) }
    }
}
