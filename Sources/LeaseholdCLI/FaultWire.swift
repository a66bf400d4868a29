import Foundation
import LeaseholdCore
import Synchronization
import TokenVault

/// The wire by which fault tests stop, kill and disturb this process at a numbered step of an
/// exchange. Debug builds only: a release build has no such door.
///
/// With `LEASEHOLD_TEST_FAULT_WIRE=stdin`, standard input is a socket. An exchange that reaches a step
/// says `at 7 4-spooled acme` and goes on when `go 7` has come. The end of the wire ends the process:
/// whoever held the other end has died.
enum FaultWire {
    #if DEBUG
    private static var isLaid: Bool { ProcessInfo.processInfo.environment["LEASEHOLD_TEST_FAULT_WIRE"] == "stdin" }
    #endif

    static func hook() -> VaultFaultHook? {
        #if DEBUG
        guard isLaid else { return nil }
        let wire = OpenWire(descriptor: 0)
        wire.listen()
        return { point, tenant in await wire.reach(point, tenant) }
        #else
        return nil
        #endif
    }

    /// The vault's waits for its own slowness, shortened for tests that sit through all of them.
    /// What is waited for at the provider stays as it is set.
    static func shorten(_ settings: inout VaultSettings) {
        #if DEBUG
        guard isLaid else { return }
        settings.sendWindow = .seconds(3)
        settings.claimTime = .seconds(1)
        settings.replayInterval = .seconds(2)
        settings.spoolPatience = .seconds(6)
        settings.pollInterval = .milliseconds(250)
        #endif
    }
}

#if DEBUG
/// Lines are shorter than what a socket takes at once and are written with `write`, so that a process
/// that is killed has said everything it has done.
private final class OpenWire: Sendable {
    private struct State {
        var lastNumber = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    init(descriptor: Int32) { self.descriptor = descriptor }

    func listen() {
        Thread.detachNewThread { [self] in
            while let line = readLine() {
                let words = line.split(separator: " ")
                if words.count == 2, words[0] == "go", let number = Int(words[1]) {
                    state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
                }
            }
            _exit(3)
        }
    }

    func reach(_ point: VaultFaultPoint, _ tenant: TenantID) async {
        await withCheckedContinuation { continuation in
            let number = state.withLock { state in
                state.lastNumber += 1
                state.waiting[state.lastNumber] = continuation
                return state.lastNumber
            }
            let line = Array("at \(number) \(point.rawValue) \(tenant)\n".utf8)
            _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        }
    }
}
#endif
