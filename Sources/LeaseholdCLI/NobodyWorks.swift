import Foundation
import JobQueue
import LeaseholdCore

/// Says that a job will wait because no live worker takes it. The job is kept whatever this says:
/// workers may be deployed after it.
enum NobodyWorks {
    static func warn(_ queue: JobQueue, on name: QueueName, for kind: JobKind) async throws {
        let serving = try await queue.workers().filter { !$0.hasLapsed && $0.queues.contains(name.rawValue) }
        if serving.isEmpty {
            write("no worker serves queue \(name) now; the job waits. Try: leasehold worker")
        } else if !serving.contains(where: { $0.kinds.contains(kind.rawValue) }) {
            let known = Set(serving.flatMap(\.kinds)).sorted().joined(separator: ", ")
            write("no worker knows kind \(kind), they know \(known); the job waits for one that does")
        }
    }

    private static func write(_ text: String) { FileHandle.standardError.write(Data("Warning: \(text)\n".utf8)) }
}
