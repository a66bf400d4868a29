import CLibPQ

extension PostgresConnection {
    /// The one place where the connection's user waits.
    struct Waiter {
        var wakesWhenBusy: Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    /// Waits until something happened: input, room for output, a timer, a cancelled task.
    ///
    /// May return for nothing, so callers look again.
    /// - Parameter forAnswer: sleeps on through input that does not complete a result.
    func park(forAnswer: Bool = false) async {
        if link.resumeReading() {
            // The event that paused the reading may have been the last one; see `hasHungUp`.
            noticeEnd()
            return
        }
        await withCheckedContinuation { continuation in
            waiter = Waiter(wakesWhenBusy: !forAnswer, continuation: continuation)
        }
    }

    func wake() {
        guard let waiter else { return }
        self.waiter = nil
        waiter.continuation.resume()
    }

    /// The socket's event handler once the session is open.
    func socketIsReadable() {
        guard phase == .open else { return }
        if waiter == nil, operation?.holdsBackInput == true {
            link.pauseReading()
            return
        }
        noticeEnd()
        guard let waiter else { return }
        if waiter.wakesWhenBusy || phase != .open || PQisBusy(link.connection) == 0 { wake() }
    }

    /// Reads what has come in and finds out whether the server has closed the connection.
    func noticeEnd() {
        guard phase == .open else { return }
        var isAlive = PQconsumeInput(link.connection) == 1
        // One call reads what is there; the end of the stream comes with a call of its own.
        while isAlive, link.hasHungUp { isAlive = PQconsumeInput(link.connection) == 1 }
        takeNotifications()
        if !isAlive { end(reason: connectionMessage()) }
    }

    /// The connection is of no more use: what waits is woken, what comes is refused.
    func end(reason: String) {
        guard phase == .open || phase == .connecting else { return }
        phase = .ended(reason: reason)
        noteReusable()
        link.stopReading()
        link.cutOff()
        wake()
    }

    /// Sends everything that libpq holds back, while reading what comes in meanwhile: a server that
    /// waits for us to read would otherwise wait for ever.
    func flush() async {
        while phase == .open {
            switch PQflush(link.connection) {
            case 0:
                return
            case 1:
                link.waitOnce(for: .write) { [weak self] in self?.assumeIsolated { $0.wake() } }
                await park()
            default:
                // The server may have said why before it closed.
                noticeEnd()
                end(reason: connectionMessage())
            }
        }
    }

    /// The next result of the running statement; nil after its last. Never blocks: after the
    /// connection's end libpq answers at once, with what the server said last or with an error.
    func nextResult() async -> OpaquePointer? {
        while phase == .open, PQisBusy(link.connection) != 0 {
            await park(forAnswer: true)
        }
        guard phase != .closed else { return nil }
        return PQgetResult(link.connection)
    }

    /// libpq's text on the state of the connection, one line.
    func connectionMessage() -> String {
        let text = PQerrorMessage(link.connection).map { String(cString: $0) } ?? ""
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line.isEmpty ? "closed by the server" : line
    }
}
