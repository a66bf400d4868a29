import LeaseholdCore

/// The demo could not be staged; says what was expected, what came and what to do.
struct DemoError: ExplainedError {
    let what: String
    let got: String
    let hint: String?

    var label: String { "demo_failed" }
    var message: String { "expected \(what), got \(got)" }
}
