import NIOCore
import Synchronization

/// The TCP connections that sent a request: numbered for the request log, and closed when the fake
/// stops, since a client may keep one open for ever.
final class ConnectionRegistry: Sendable {
    private struct State {
        var open: [ObjectIdentifier: (channel: any Channel, number: Int, requests: Int)] = [:]
        var opened = 0
        var isStopped = false
    }

    private let state = Mutex(State())

    /// The number of the connection, and of the request on it.
    func note(_ channel: any Channel) -> (connection: Int, request: Int) {
        let id = ObjectIdentifier(channel)
        let (numbers, isNew, isStopped) = state.withLock { state in
            var known = state.open[id]
            let isNew = known == nil
            if isNew {
                state.opened += 1
                known = (channel, state.opened, 0)
            }
            let number = known?.number ?? 0
            let requests = (known?.requests ?? 0) + 1
            state.open[id] = (channel, number, requests)
            return ((number, requests), isNew, state.isStopped)
        }
        if isNew {
            channel.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.open.removeValue(forKey: id) } }
        }
        if isStopped { channel.close(promise: nil) }
        return numbers
    }

    func closeAll() {
        let channels = state.withLock { state in
            state.isStopped = true
            return state.open.values.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }
}
