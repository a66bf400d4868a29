import Foundation
import LeaseholdCore
import Pitchly

/// The checks of `leasehold doctor pitchly`, as findings.
///
/// - `+endpoints`: token endpoint, certificates, clock.
/// - `+schema`: the documents against the API's own schema.
struct PitchlyCheckup {
    let settings: SettingsLoader
    let transport: PitchlyTransport
    var wallClock: any WallClock = SystemWallClock()

    /// Seconds by which two clocks may differ before it is worth a warning: more than a slow answer
    /// and the header's resolution explain.
    static let skewLimit = 5.0
    /// Days before its end when a certificate is worth a warning.
    static let certificateDays = 14.0
}
