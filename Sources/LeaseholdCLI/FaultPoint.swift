import Foundation
import LeaseholdCore
import TokenVault

/// Lets the fault tests stop this process at a numbered step of an exchange. Debug builds only: a
/// release build has no such door.
///
/// `LEASEHOLD_TEST_FAULT_POINT=4-spooled:kill` kills the process with SIGKILL the first time any
/// exchange reaches that point; `:stop` sends SIGSTOP instead, `:term` SIGTERM.
enum FaultPoint {
    static func hook(environment: [String: String] = ProcessInfo.processInfo.environment) -> VaultFaultHook? {
        #if DEBUG
        guard let setting = environment["LEASEHOLD_TEST_FAULT_POINT"] else { return nil }
        let parts = setting.split(separator: ":")
        guard parts.count == 2, let point = VaultFaultPoint(rawValue: String(parts[0])),
            let number = ["kill": SIGKILL, "stop": SIGSTOP, "term": SIGTERM][String(parts[1])]
        else { return nil }
        return { reached, _ in
            if reached == point { kill(getpid(), number) }
        }
        #else
        return nil
        #endif
    }
}
