import ArgumentParser
import Foundation
import JobQueue
import LeaseholdCore

/// Another time for a job that waits.
struct RescheduleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reschedule",
        abstract: "Gives a job that waits another time, earlier or later.",
        discussion: "  leasehold jobs reschedule 42 --in 2h"
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Id of the job.") var job: Int64
    @Option(name: .customLong("in"), help: "From now: \(IntervalArgument.form).") var delay: IntervalArgument

    func run() async throws {
        try await withJobs(settings) { queue in
            let time = Date().addingTimeInterval(delay.duration.seconds)
            let answer = try await queue.reschedule(JobID(rawValue: job), to: time)
            let sentence =
                switch answer {
                case .scheduled: "job \(job) runs at \(Times.stamp(time) ?? "")"
                case .parked: "job \(job) is parked; once it is released it waits until \(Times.stamp(time) ?? "")"
                case .running: "job \(job) runs and was left alone"
                case .ended: "job \(job) had ended already; leasehold jobs retry \(job) runs it again"
                }
            output.say(sentence, ["job": String(job), "answer": answer.rawValue])
        }
    }
}
