import Foundation

/// Stands between a client and a server on this machine and breaks their connections where a test
/// says so. Listens on a free port of 127.0.0.1.
///
/// Bytes are counted per connection from the moment the fault is set. A cut closes both sides the
/// ordinary way (FIN), after the bytes before it were delivered.
///
/// Unchecked: threads with blocking calls, all state behind one `NSCondition`.
package final class TCPProxy: @unchecked Sendable {
    package enum Target: Sendable {
        case tcp(port: Int)
        case unix(path: String)
    }

    package enum Fault: Sendable, Equatable {
        /// Cuts when the client has sent this many bytes, which are forwarded; 0 is before the
        /// request.
        case cutRequest(after: Int)
        /// Cuts when the server has sent this many bytes, which are forwarded; 0 is after the
        /// request and before its reply.
        case cutReply(after: Int)
        /// Cuts the connection over which the next request goes, when the server has answered it and
        /// nothing of the answer has been forwarded.
        case cutAnswer
        /// New connections are closed at once.
        case refuse
        /// Nothing gets through either way, and nobody is told.
        case blackhole
        /// What the server sends is kept back until the fault changes.
        case holdReplies
        /// Both ways, and then everything arrives: a cable that is pulled out and put back.
        case hold
        /// Each piece that the server sends comes later.
        case delayReplies(Duration)
    }

    private enum Direction {
        case request
        case reply
    }

    private enum Verdict {
        case forward(Int, thenCut: Bool)
        case drop
        case delay(Duration)
    }

    private final class Pair: @unchecked Sendable {
        let client: Int32
        let server: Int32
        var generation = 0
        var requestBytes = 0
        var replyBytes = 0
        var isAsking = false
        var openEnds = 2

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }
    }

    package let port: Int
    private var target: Target
    private let listener: Int32
    private let lock = NSCondition()
    private var fault: Fault?
    private var generation = 0
    private var isOneTime = false
    private var strikes = 0
    private var isClosed = false
    private var pairs: [ObjectIdentifier: Pair] = [:]
    private var opened = 0
    private var replyBytes = 0
    private var roundTrips = 0
    private var openWatchers: [(opened: Int, continuation: CheckedContinuation<Void, Never>)] = []
    private var watchers: [(strikes: Int, continuation: CheckedContinuation<Void, Never>)] = []

    package init(to target: Target) throws {
        self.target = target
        listener = try SocketAddress.loopback(port: 0).listen()
        port = try SocketAddress.port(of: listener)
        Thread.detachNewThread { [self] in acceptLoop() }
    }

    /// - Parameter once: the fault heals itself when it has struck one connection.
    package func set(_ fault: Fault, once: Bool = false) {
        change(to: fault, once: once)
    }

    /// Everything passes again; what was held back is delivered.
    package func heal() { change(to: nil, once: false) }

    /// Cuts every connection that is open now.
    package func cutAll() {
        lock.lock()
        defer { lock.unlock() }
        for pair in pairs.values { cut(pair) }
    }

    /// Cuts every connection; later ones lead to another server.
    package func redirect(to target: Target) {
        lock.lock()
        defer { lock.unlock() }
        self.target = target
        for pair in pairs.values { cut(pair) }
    }

    /// Ends the proxy and its connections.
    package func close() {
        lock.lock()
        isClosed = true
        for pair in pairs.values { cut(pair) }
        lock.broadcast()
        lock.unlock()
        shutdown(listener, Int32(SHUT_RDWR))
    }

    package var connectionCount: Int {
        lock.lock()
        defer { lock.unlock() }
        return pairs.count
    }

    /// How many connections a fault has hit since the proxy was made.
    package var strikeCount: Int {
        lock.lock()
        defer { lock.unlock() }
        return strikes
    }

    /// Bytes that servers have sent since the proxy was made, whatever became of them.
    package var replyByteCount: Int {
        lock.lock()
        defer { lock.unlock() }
        return replyBytes
    }

    /// How often clients have asked since the proxy was made: what is sent before anything comes back
    /// counts once, in however many pieces. Opening a connection counts too.
    package var roundTripCount: Int {
        lock.lock()
        defer { lock.unlock() }
        return roundTrips
    }

    /// Waits until `count` connections have been opened in all.
    package func connections(_ count: Int) async {
        await withCheckedContinuation { continuation in
            lock.lock()
            let isThere = opened >= count
            if !isThere { openWatchers.append((count, continuation)) }
            lock.unlock()
            if isThere { continuation.resume() }
        }
    }

    /// Waits until faults have hit `count` connections in all.
    package func strikes(_ count: Int) async {
        await withCheckedContinuation { continuation in
            lock.lock()
            let isThere = strikes >= count
            if !isThere { watchers.append((count, continuation)) }
            lock.unlock()
            if isThere { continuation.resume() }
        }
    }

    private func change(to fault: Fault?, once: Bool) {
        lock.lock()
        self.fault = fault
        isOneTime = once
        generation += 1
        lock.broadcast()
        lock.unlock()
    }

    // MARK: threads

    private func acceptLoop() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            guard admits(), let server = connectToTarget() else {
                Foundation.close(client)
                continue
            }
            let pair = Pair(client: client, server: server)
            lock.lock()
            pair.generation = generation
            pairs[ObjectIdentifier(pair)] = pair
            opened += 1
            let reached = openWatchers.filter { $0.opened <= opened }
            openWatchers.removeAll { $0.opened <= opened }
            lock.unlock()
            for watcher in reached { watcher.continuation.resume() }
            Thread.detachNewThread { [self] in pump(pair, .request) }
            Thread.detachNewThread { [self] in pump(pair, .reply) }
        }
        Foundation.close(listener)
    }

    private func admits() -> Bool {
        lock.lock()
        defer { lock.unlock() }
        guard !isClosed else { return false }
        guard fault == .refuse else { return true }
        strike()
        return false
    }

    private func connectToTarget() -> Int32? {
        lock.lock()
        let target = target
        lock.unlock()
        return switch target {
        case .tcp(let port): try? SocketAddress.loopback(port: port).connect()
        case .unix(let path): try? SocketAddress.unix(path: path).connect()
        }
    }

    private func pump(_ pair: Pair, _ direction: Direction) {
        let (source, sink) = direction == .request ? (pair.client, pair.server) : (pair.server, pair.client)
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        reading: while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0 else { break }
            var verdict = judge(pair, direction, count)
            if case .delay(let duration) = verdict {
                Thread.sleep(
                    forTimeInterval: Double(duration.components.seconds) + Double(duration.components.attoseconds)
                        / 1e18
                )
                verdict = .forward(count, thenCut: false)
            }
            switch verdict {
            case .drop, .delay: continue
            case .forward(let allowed, let thenCut):
                guard writeAll(sink, buffer[..<allowed]) else { break reading }
                guard thenCut else { continue }
                lock.lock()
                cut(pair)
                strike()
                lock.unlock()
                break reading
            }
        }
        shutdown(sink, Int32(SHUT_WR))
        finish(pair)
    }

    private func judge(_ pair: Pair, _ direction: Direction, _ count: Int) -> Verdict {
        lock.lock()
        defer { lock.unlock() }
        if direction == .reply { replyBytes += count }
        if direction == .request, !pair.isAsking { roundTrips += 1 }
        pair.isAsking = direction == .request
        while fault == .hold || fault == .holdReplies && direction == .reply, !isClosed { lock.wait() }
        if pair.generation != generation {
            pair.generation = generation
            pair.requestBytes = 0
            pair.replyBytes = 0
        }
        switch (fault, direction) {
        case (.cutRequest(let limit), .request):
            return allow(count, limit, counter: &pair.requestBytes)
        case (.cutReply(let limit), .reply):
            return allow(count, limit, counter: &pair.replyBytes)
        case (.cutAnswer, .request):
            pair.requestBytes += count
            return .forward(count, thenCut: false)
        case (.cutAnswer, .reply): return .forward(pair.requestBytes > 0 ? 0 : count, thenCut: pair.requestBytes > 0)
        case (.blackhole, _): return .drop
        case (.delayReplies(let duration), .reply): return .delay(duration)
        default: return .forward(count, thenCut: false)
        }
    }

    private func allow(_ count: Int, _ limit: Int, counter: inout Int) -> Verdict {
        let allowed = min(count, max(0, limit - counter))
        counter += allowed
        return .forward(allowed, thenCut: counter >= limit)
    }

    /// Both sides learn of the end; the descriptors are closed when both pumps have ended.
    private func cut(_ pair: Pair) {
        shutdown(pair.client, Int32(SHUT_RDWR))
        shutdown(pair.server, Int32(SHUT_RDWR))
    }

    private func strike() {
        strikes += 1
        if isOneTime {
            fault = nil
            generation += 1
        }
        let reached = watchers.filter { $0.strikes <= strikes }
        watchers.removeAll { $0.strikes <= strikes }
        for watcher in reached { watcher.continuation.resume() }
    }

    private func finish(_ pair: Pair) {
        lock.lock()
        pair.openEnds -= 1
        let isLast = pair.openEnds == 0
        if isLast { pairs[ObjectIdentifier(pair)] = nil }
        lock.unlock()
        guard isLast else { return }
        Foundation.close(pair.client)
        Foundation.close(pair.server)
    }

    private func writeAll(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard written > 0 else { return false }
            rest = rest.dropFirst(written)
        }
        return true
    }
}
