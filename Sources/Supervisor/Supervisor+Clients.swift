internal import CLinux
internal import Diagnostics
internal import Linux
internal import Logs
internal import Store

// Who is connected to supervisor.sock, and what they ask for.
extension Supervisor {
    /// More wait in the listener's queue.
    static let mostClients = 64
    /// So many messages of one client are heard before others have their turn.
    private static let mostInARow = 16
    /// So much may one client wait for.
    private static let mostRequests = 64

    func admit() {
        guard let slot = freeSlot() ?? parkedSlot() else { return listen(false) }
        var uid: UInt32 = 0
        var pid: CInt = 0
        let raw = clinux_accept(listener.raw, &uid, &pid)
        if raw < 0 { return }
        let socket = Descriptor(adopting: raw)
        // Its directory is closed to others; this holds when somebody opens it.
        guard uid == 0 || uid == clinux_effective_uid() else { return }
        generation &+= 1
        let client = Client(socket, slot: slot, generation: generation)
        do throws(Failure) {
            try poller.add(
                client.socket.raw, .client, events: client.events, slot: slot, generation: generation)
            clients[slot] = client
        } catch {
            note(error.description)
        }
    }

    private func freeSlot() -> Int? {
        if let slot = clients.firstIndex(where: { $0 == nil }) { return slot }
        guard clients.count < Supervisor.mostClients else { return nil }
        clients.append(nil)
        return clients.count - 1
    }

    /// A container that does not read its input must not keep its supervisor from being asked: the first of those who
    /// have gone, and whose input waits, is given up.
    private func parkedSlot() -> Int? {
        let parked = clients.compactMap { $0 }.filter { $0.isParked }
        guard let first = parked.min(by: { $0.generation < $1.generation }) else { return nil }
        drop(first)
        return first.slot
    }

    private func listen(_ listens: Bool) {
        guard listens != self.listens else { return }
        self.listens = listens
        poller.change(listener.raw, .listener, events: listens ? CLINUX_EVENT_IN : 0)
    }

    func drop(_ client: Client) {
        guard let known = clients[client.slot], known === client else { return }
        poller.remove(client.socket.raw)
        clients[client.slot] = nil
        events.append(.clientGone(client.id))
        if client.isAttached { countAttached() }
        listen(true)
    }

    func serveClient(_ ready: Poller.Ready) {
        guard ready.slot < clients.count, let client = clients[ready.slot],
            client.generation == ready.generation
        else { return }
        if ready.isWritable {
            guard client.flush() else { return drop(client) }
            leaveLater()
        }
        if ready.isReadable {
            if hears(client) {
                hear(client)
            } else if ready.hasGone {
                // While its input waits, which must not be lost: it is heard later. Answers can be.
                return client.outbox.isFullOfAnswers ? drop(client) : park(client)
            }
        }
        updateEvents(client)
    }

    /// Before another supervisor takes over: what has been sent for standard input is not sent again. As much is heard and
    /// passed on as there is room for; the rest is lost.
    func hearLastInput() {
        for case let client? in clients where client.sendsInput && !client.isParked { hear(client) }
        writeInput()
    }

    private func hear(_ client: Client) {
        for _ in 0..<Supervisor.mostInARow {
            var length = 0
            let room = ControlMessage.mostInput + 64
            let datagram = [UInt8](unsafeUninitializedCapacity: room) { buffer, used in
                length = clinux_receive_now(client.socket.raw, buffer.baseAddress!, buffer.count)
                used = max(length, 0)
            }
            if length == -Int(Errno.EAGAIN) { return }
            guard length > 0, let message = ControlMessage(datagram), obey(client, message) else {
                return drop(client)
            }
            guard clients[client.slot] === client, hears(client) else { return }
        }
    }

    /// - Returns: false for what no client may say.
    private func obey(_ client: Client, _ message: ControlMessage) -> Bool {
        guard core.requests(of: client.id) < Supervisor.mostRequests else { return false }
        switch message {
        case .hello: return client.send(.hello(.init(build: arguments.build, pid: clinux_pid())))
        case .askStatus: return client.send(.status(core.status.encoded()))
        case .stop(let order): events.append(.stop(client: client.id, order))
        case .restart(let order):
            if isLeaving, isHeldUp {
                return client.send(
                    .failed("how its last run ended could not be written to \(container.path) yet"))
            }
            events.append(.restart(client: client.id, order))
        case .wait: events.append(.wait(client: client.id))
        case .waitForExec(let pid): waitForExec(client, pid)
        case .release: events.append(.release(client: client.id))
        case .attach(let attachment): attach(client, attachment)
        case .stdin(let bytes) where client.sendsInput: take(bytes)
        case .stdinEnd where client.sendsInput: endInput()
        case .resize(let size): resize(size)
        case .signal(let number):
            guard (1...64).contains(number) else { return false }
            if process.rawOrNone >= 0 { _ = clinux_pidfd_signal(process.rawOrNone, number) }
        case .detach:
            client.isAttached = false
            client.gets = (false, false)
            client.sendsInput = false
            countAttached()
        case .reopenLog: return client.send(reopenLog())
        case .stdin, .stdinEnd, .output, .done, .ended, .failed, .status, .attached, .lost: return false
        }
        return true
    }

    private func waitForExec(_ client: Client, _ pid: Int32) {
        // Others of that number have nothing to do with us.
        let lives = keeperPid != 0 && (try? ProcessStat.read(pid))?.parent == keeperPid
        // It may have ended just now.
        if !lives { try? hearKeeper() }
        events.append(.waitForExec(client: client.id, pid: pid, lives: lives))
    }

    private func reopenLog() -> ControlMessage {
        do throws(Failure) {
            try log?.writer.reopen()
            return .done
        } catch {
            return .failed(error.description)
        }
    }

    func tell(_ id: UInt32, _ answer: SupervisorCore.Answer) {
        guard let client = clients.lazy.compactMap({ $0 }).first(where: { $0.id == id }) else { return }
        let message: ControlMessage =
            switch answer {
            case .done: .done
            case .ended(let end): .ended(end)
            case .failed(let text): .failed(text)
            }
        if client.send(message) { updateEvents(client) } else { drop(client) }
    }

    // MARK: What epoll is to tell

    /// Whoever sends input waits while the container does not read what there is; and whoever does not take the answers
    /// that there are gets no more.
    private func hears(_ client: Client) -> Bool {
        !client.outbox.isFullOfAnswers && (!client.sendsInput || hasRoomForInput)
    }

    func updateEvents(_ client: Client) {
        guard clients[client.slot] === client else { return }
        var events = CLINUX_EVENT_PEER_CLOSED
        if hears(client) { events |= CLINUX_EVENT_IN }
        if !client.outbox.isEmpty { events |= CLINUX_EVENT_OUT }
        guard events != client.events else { return }
        if client.isParked {
            guard events & CLINUX_EVENT_IN != 0 else { return }
            client.isParked = false
            try? poller.add(
                client.socket.raw, .client, events: events, slot: client.slot,
                generation: client.generation)
        } else {
            poller.change(
                client.socket.raw, .client, events: events, slot: client.slot,
                generation: client.generation)
        }
        client.events = events
    }

    private func park(_ client: Client) {
        client.isParked = true
        poller.remove(client.socket.raw)
        // Its slot can be had.
        listen(true)
    }
}
