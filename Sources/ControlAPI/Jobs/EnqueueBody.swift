/// The shape of what `POST /v1/jobs` takes: one job or an array of them.
///
/// Only the shape is read here, for errors that name the place. The text itself goes to the database,
/// which keeps every digit of the args and knows the rules.
struct EnqueueBody: Decodable {
    let jobs: [Job]
    let isBatch: Bool

    init(from decoder: any Decoder) throws {
        if let one = try? decoder.container(keyedBy: AnyKey.self), !one.allKeys.isEmpty {
            jobs = [try Job(from: decoder)]
            isBatch = false
            return
        }
        guard var list = try? decoder.unkeyedContainer() else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "to be a job or an array of jobs")
            )
        }
        var jobs: [Job] = []
        while !list.isAtEnd { jobs.append(try list.decode(Job.self)) }
        guard (1...JobRoutes.batchLimit).contains(jobs.count) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "to hold 1 to \(JobRoutes.batchLimit) jobs, got \(jobs.count)")
            )
        }
        self.jobs = jobs
        isBatch = true
    }

    /// One job of the body.
    struct Job: Decodable {
        let tenant: String

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: AnyKey.self)
            for key in members.allKeys where !Self.names.contains(key.stringValue) {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: members.codingPath + [key],
                        debugDescription: "to be one of \(Self.names.joined(separator: ", "))"
                    )
                )
            }
            tenant = try members.decode(String.self, forKey: AnyKey("tenant"))
            _ = try members.decode(String.self, forKey: AnyKey("kind"))
            for name in Self.texts { _ = try members.decodeIfPresent(String.self, forKey: AnyKey(name)) }
            for name in Self.wholeNumbers { _ = try members.decodeIfPresent(Int32.self, forKey: AnyKey(name)) }
            _ = try members.decodeIfPresent([Int64].self, forKey: AnyKey("after"))
            if members.contains(AnyKey("args")) {
                _ = try members.nestedContainer(keyedBy: AnyKey.self, forKey: AnyKey("args"))
            }
            try Self.check(members)
        }

        private static func check(_ members: KeyedDecodingContainer<AnyKey>) throws {
            if let seconds = try members.decodeIfPresent(Double.self, forKey: AnyKey("timeout_seconds")),
                !(0.001...31_536_000).contains(seconds)
            {
                throw wrong(members, "timeout_seconds", "to be from 0.001 to 31536000")
            }
            if let time = try members.decodeIfPresent(String.self, forKey: AnyKey("run_at")),
                !RequestTime.hasForm(time)
            {
                throw wrong(members, "run_at", RequestTime.form)
            }
        }

        private static func wrong(
            _ members: KeyedDecodingContainer<AnyKey>,
            _ name: String,
            _ expected: String
        ) -> DecodingError {
            .dataCorrupted(.init(codingPath: members.codingPath + [AnyKey(name)], debugDescription: expected))
        }

        private static let texts = [
            "queue", "unique_key", "on_duplicate", "idempotency_key", "sequence_key", "trace_context", "on_failure",
        ]
        private static let wholeNumbers = ["priority", "max_attempts"]
        static let names =
            ["tenant", "kind", "args", "run_at", "timeout_seconds", "after"] + texts + wholeNumbers
    }
}

/// A member's name that is known only at run time.
struct AnyKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) {
        stringValue = name
        intValue = nil
    }

    init?(stringValue: String) { self.init(stringValue) }

    init?(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }
}
