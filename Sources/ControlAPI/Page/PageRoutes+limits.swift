import Foundation
import HTTPTypes
import JobQueue
import LeaseholdCore
import Postgres

/// What is typed into a form: share and limits of a tenant or a queue, and another time for a job.
extension PageRoutes {
    var limitRoutes: [Route] {
        [
            action("/tenants/{tenant}/limits", needs: .tenantsWrite) { request, form in
                let tenant = try request.tenant()
                let chosen = try ChosenLimits(form)
                let store = tenants.acting(as: request.source(.page))
                let burst = try await store.show(tenant).load.rateBurst
                try await store.limit(tenant, to: chosen.limits(burst: burst), weight: chosen.weight)
                return "/tenants/\(pathEncoded(tenant.rawValue))?done=limited"
            },
            action("/queues/{queue}/limits", needs: .jobsWrite) { request, form in
                let name = try QueueName(request.parameter("queue"))
                let chosen = try ChosenLimits(form)
                let steered = queue.acting(as: request.source(.page))
                let burst = try await steered.queues(named: name).first?.limits.rateBurst
                try await steered.limit(name, to: chosen.limits(burst: burst), weight: chosen.weight)
                return "/queues?done=limited"
            },
            action("/jobs/{job}/reschedule", needs: .jobsWrite) { request, form in
                let job = try request.job()
                let text = (form["minutes"] ?? "").trimmingCharacters(in: .whitespaces)
                guard let minutes = Double(text), (0...5_256_000).contains(minutes) else {
                    throw Problem(
                        .badRequest,
                        "invalid_minutes",
                        "expected minutes from now, 0 to 5256000, got \"\(text.prefix(40))\"",
                        hint: "go back and correct it"
                    )
                }
                let time = Date().addingTimeInterval(minutes * 60)
                let answer = try await queue.acting(as: request.source(.page)).reschedule(job, to: time)
                let isChanged = answer == .scheduled || answer == .parked
                return "/jobs/\(job)?done=\(isChanged ? "rescheduled" : "runs")"
            },
        ]
    }

    /// - Parameter row: with the columns `max_running`, `rate_per_second` and `weight`.
    func limitAction(
        _ title: String,
        _ path: String,
        needs scope: APIScope,
        _ row: PageRow,
        _ request: ControlRequest
    ) throws -> [PageAction] {
        func input(_ name: String, _ title: String, hint: String) throws -> PageInput {
            PageInput(name: name, title: title, value: try row.number(name).map(ChosenLimits.text) ?? "", hint: hint)
        }
        return action(
            title,
            path,
            needs: scope,
            question: "What is left empty has no limit.",
            inputs: [
                try input("max_running", "Most running", hint: "no limit"),
                try input("rate_per_second", "Started per second", hint: "no limit"),
                try input("weight", "Weight", hint: "1"),
            ],
            request
        )
    }
}

/// What somebody typed into the form for limits.
struct ChosenLimits: Equatable {
    let maxRunning: Int?
    let ratePerSecond: Double?
    let weight: Double

    /// - Throws: ``Problem`` 400 naming the field.
    init(_ form: [String: String]) throws {
        let most = try Self.number("max_running", "a whole number from 1", form) {
            (1...Double(Int32.max)).contains($0) && $0 == $0.rounded()
        }
        maxRunning = most.map { Int($0) }
        ratePerSecond = try Self.number("rate_per_second", "a number above 0", form) {
            (0.000_001...1_000_000).contains($0)
        }
        weight = try Self.number("weight", "a number from 0.01 to 1000", form) { (0.01...1000).contains($0) } ?? 1
    }

    /// - Parameter burst: as it was; without a rate there is none.
    func limits(burst: Int?) -> QueueLimits {
        QueueLimits(
            maxRunning: maxRunning,
            ratePerSecond: ratePerSecond,
            rateBurst: ratePerSecond == nil ? nil : burst
        )
    }

    /// As it is typed: no thin spaces, no trailing zeros. What the database keeps has six digits.
    static func text(_ number: Double) -> String { String(format: "%.6g", number) }

    private static func number(
        _ name: String,
        _ expected: String,
        _ form: [String: String],
        _ isValid: (Double) -> Bool
    ) throws -> Double? {
        let text = (form[name] ?? "").trimmingCharacters(in: .whitespaces)
        if text.isEmpty { return nil }
        guard let number = Double(text), isValid(number) else {
            throw Problem(
                .badRequest,
                "invalid_limit",
                "expected \(name) to be \(expected) or empty, got \"\(text.prefix(40))\"",
                hint: "go back and correct it"
            )
        }
        return number
    }
}
