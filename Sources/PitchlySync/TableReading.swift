import LeaseholdCore
import Logging
import Pitchly

/// What one claim has done so far with one table.
struct TableReading: Sendable {
    /// How often one claim starts over at the first page before it gives up.
    static let restartLimit = 2

    let table: String
    let context: SyncContext
    /// Whether this claim moved the checkpoint: then a failure is no failed attempt.
    var hasAdvanced = false
    private(set) var pageSize: Int
    private var restarts = 0

    init(table: String, context: SyncContext, pageSize: Int) {
        self.table = table
        self.context = context
        self.pageSize = pageSize
    }

    enum Remedy: Equatable {
        case startOver
        case smallerPages
        case none
    }

    /// What may help when the API refuses an argument. A first page has no cursor that could have
    /// expired, so its size was too large; a later one starts over, a limited number of times.
    mutating func remedy(isFirstPage: Bool) -> Remedy {
        if isFirstPage {
            guard pageSize > 25 else { return .none }
            pageSize /= 2
            return .smallerPages
        }
        restarts += 1
        return restarts <= Self.restartLimit ? .startOver : .none
    }
}

extension SyncJobs {
    /// Reads from the checkpoint to the last page. A cursor that the API no longer takes means
    /// starting over, not failing.
    func read(_ run: inout SyncRun, _ client: PitchlyClient, _ reading: inout TableReading) async throws {
        while true {
            do {
                return try await readPages(&run, client, &reading)
            } catch let error as PitchlyError where error.kind == .invalidArgument {
                let remedy = reading.remedy(isFirstPage: run.cursor == nil)
                if remedy == .none { throw error }
                reading.context.logger.notice(
                    "sync_restarted",
                    metadata: [
                        "table": "\(run.table)", "pages": "\(run.pages)", "page_size": "\(reading.pageSize)",
                        "reason": "\(error)",
                    ]
                )
                if remedy == .startOver { try await store.startOver(&run) }
            }
        }
    }

    /// While a page is written, the next one is fetched: two pages are in memory, never more.
    private func readPages(_ run: inout SyncRun, _ client: PitchlyClient, _ reading: inout TableReading) async throws {
        if run.pages > 0, run.cursor == nil { return }
        let source = PageSource(
            client: client,
            table: run.table,
            size: reading.pageSize,
            updatedAfter: run.mode.updatedAfter
        )
        var page = try await source.page(after: run.cursor)
        while true {
            let cursor = page.nextCursor
            async let next = cursor == nil ? nil : source.page(after: cursor)
            try await store.write(page, to: &run)
            reading.hasAdvanced = true
            try await report(run, reading.context)
            guard let following = try await next else { return }
            page = following
        }
    }

    /// After the first pages and then every sixteenth: often enough to watch, seldom enough to cost
    /// nothing.
    private func report(_ run: SyncRun, _ context: SyncContext) async throws {
        guard run.pages < 4 || run.pages.isMultiple(of: 16) else { return }
        let expected = run.expectedRows.map { ",\"expected_rows\":\($0)" } ?? ""
        try await context.saveProgress("{\"pages\":\(run.pages),\"rows\":\(run.rows)\(expected)}")
    }
}

/// The pages of one table.
struct PageSource: Sendable {
    let client: PitchlyClient
    let table: String
    let size: Int
    let updatedAfter: String?

    /// - Throws: ``SyncInterruption/cursorStands(table:)`` rather than reading one page for ever.
    func page(after cursor: String?) async throws -> RecordPage {
        let request = PageRequest(table: table, cursor: cursor, size: size, updatedAfter: updatedAfter)
        let page = try await client.read(client.dialect.page(request))
        if let cursor, page.nextCursor == cursor { throw SyncInterruption.cursorStands(table: table) }
        return page
    }
}
