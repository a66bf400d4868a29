import Foundation
import LeaseholdCore
import Postgres
import Testing

/// Cron expressions against a walk over every minute of the clock, with the time zones of Foundation:
/// nothing of it is shared with the search that the database does.
struct CronTests {
    /// One field: its text and the values it names.
    private struct Field {
        let text: String
        let values: Set<Int>

        static func any(_ range: ClosedRange<Int>) -> Field { Field(text: "*", values: Set(range)) }

        /// Every form that a field can have.
        static func random(_ range: ClosedRange<Int>, _ random: RandomSource) -> Field {
            let low = range.lowerBound + Int(random.next() % UInt64(range.count))
            let high = low + Int(random.next() % UInt64(range.upperBound - low + 1))
            let step = 2 + Int(random.next() % UInt64(min(range.count - 2, 14)))
            switch random.next() % 5 {
            case 0: return any(range)
            case 1:
                return Field(
                    text: "*/\(step)",
                    values: Set(stride(from: range.lowerBound, through: range.upperBound, by: step))
                )
            case 2: return Field(text: "\(low),\(high)", values: [low, high])
            case 3: return Field(text: "\(low)-\(high)", values: Set(low...high))
            default:
                return Field(text: "\(low)-\(high)/\(step)", values: Set(stride(from: low, through: high, by: step)))
            }
        }
    }

    private struct Expression {
        let minute, hour, day, month, weekday: Field
        var text: String { [minute, hour, day, month, weekday].map(\.text).joined(separator: " ") }

        /// - Parameter local: minutes of a clock since 1970-01-01 00:00 of that clock.
        func names(_ local: Int) -> Bool {
            let (dayNumber, minuteOfDay) = (Int((Double(local) / 1440).rounded(.down)), ((local % 1440) + 1440) % 1440)
            guard minute.values.contains(minuteOfDay % 60), hour.values.contains(minuteOfDay / 60) else { return false }
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = .gmt
            let parts = calendar.dateComponents(
                [.day, .month, .weekday],
                from: Date(timeIntervalSince1970: Double(dayNumber) * 86_400)
            )
            guard let day = parts.day, let month = parts.month, let weekday = parts.weekday else { return false }
            guard self.month.values.contains(month) else { return false }
            let fitsDay = self.day.values.contains(day)
            let fitsWeekday = Set(self.weekday.values.map { $0 % 7 }).contains(weekday - 1)
            let eitherIsOpen = self.day.text.hasPrefix("*") || self.weekday.text.hasPrefix("*")
            return eitherIsOpen ? fitsDay && fitsWeekday : fitsDay || fitsWeekday
        }
    }

    /// Minute by minute through two days before `start` and on to `end`: a local time counts when the
    /// clock first shows it, or when the clock jumps over it.
    private func slots(_ expression: Expression, in zone: TimeZone, from start: Int, to end: Int) -> [Int] {
        func local(_ minute: Int) -> Int {
            minute + zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(minute) * 60)) / 60
        }
        var slots: [Int] = []
        var latest = local(start - 2880 - 1)
        for minute in (start - 2880)...end {
            let shown = local(minute)
            if shown > latest {
                if minute > start, ((latest + 1)...shown).contains(where: expression.names) { slots.append(minute) }
                latest = shown
            }
        }
        return slots
    }

    /// A minute within a day of a change of the zone's clock in `year`, if there is one.
    private func momentOfInterest(in zone: TimeZone, year: Int, _ random: RandomSource) -> Int {
        let january = (year - 1970) * 525_949
        var changes: [Int] = []
        for day in 0..<365 {
            let minute = january + day * 1440
            let dates = [minute, minute + 1440].map { Date(timeIntervalSince1970: Double($0) * 60) }
            if zone.secondsFromGMT(for: dates[0]) != zone.secondsFromGMT(for: dates[1]) { changes.append(minute) }
        }
        let near =
            changes.isEmpty
            ? january + Int(random.next() % 500_000) : changes[Int(random.next() % UInt64(changes.count))]
        return near - Int(random.next() % 1500)
    }

    private static let zones = [
        "America/New_York", "America/St_Johns", "America/Santiago", "America/Havana", "Atlantic/Azores",
        "Europe/London",
        "Europe/Berlin", "Africa/Casablanca", "Asia/Kolkata", "Australia/Sydney", "Australia/Lord_Howe",
        "Pacific/Auckland", "Pacific/Chatham", "Antarctica/Troll", "Pacific/Apia", "UTC",
    ]

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `Slots in every zone are those of a clock that is watched minute by minute`(seed: UInt64) async throws {
        let random = RandomSource(seed: seed)
        try await withWorld(size: 1) { world in
            var compared = 0
            for name in Self.zones {
                let zone = try #require(TimeZone(identifier: name))
                for year in [2013, 2017, 2021, 2024] {
                    let expression = Expression(
                        minute: .random(0...59, random),
                        hour: random.next() % 2 == 0
                            ? Field(text: "0-3", values: [0, 1, 2, 3]) : .random(0...23, random),
                        day: random.next() % 4 == 0 ? .random(1...31, random) : .any(1...31),
                        month: .any(1...12),
                        weekday: random.next() % 4 == 0 ? .random(0...7, random) : .any(0...7)
                    )
                    let start = momentOfInterest(in: zone, year: year, random)
                    let end = start + 3 * 1440
                    let expected = slots(expression, in: zone, from: start, to: end)
                    compared += expected.count
                    let what: Comment = "\(expression.text) in \(name) from minute \(start)"
                    #expect(try await forwards(world, expression.text, name, start, end) == expected, what)
                    #expect(try await backwards(world, expression.text, name, start, end) == expected, what)
                }
            }
            #expect(compared > 1000, "there was something to compare")
        }
    }

    private func forwards(
        _ world: QueueWorld,
        _ cron: String,
        _ zone: String,
        _ start: Int,
        _ end: Int
    ) async throws -> [Int] {
        let rows = try await world.sql(
            """
            with recursive slot (at) as (
                select leasehold.cron_next(leasehold.cron_parse($1::text), $2::text, to_timestamp($3::bigint * 60))
                union all
                select leasehold.cron_next(leasehold.cron_parse($1::text), $2::text, at) from slot
                where at < to_timestamp($4::bigint * 60)
            )
            select (extract(epoch from at) / 60)::bigint from slot where at <= to_timestamp($4::bigint * 60) order by at
            """,
            cron,
            zone,
            start,
            end
        )
        return try rows.map { try $0.decode(0, as: Int.self) }
    }

    private func backwards(
        _ world: QueueWorld,
        _ cron: String,
        _ zone: String,
        _ start: Int,
        _ end: Int
    ) async throws -> [Int] {
        let rows = try await world.sql(
            """
            with recursive slot (at) as (
                select leasehold.cron_latest(leasehold.cron_parse($1::text), $2::text, to_timestamp($4::bigint * 60))
                union all
                select leasehold.cron_latest(leasehold.cron_parse($1::text), $2::text, at - interval '1 microsecond')
                from slot where at > to_timestamp($3::bigint * 60)
            )
            select (extract(epoch from at) / 60)::bigint from slot where at > to_timestamp($3::bigint * 60) order by at
            """,
            cron,
            zone,
            start,
            end
        )
        return try rows.map { try $0.decode(0, as: Int.self) }
    }

    @Test(arguments: [
        // Spring: 02:30 does not exist, autumn: it comes twice.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28 02:00+00", "2026-03-29 01:00:00+00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00+00", "2026-10-25 00:30:00+00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 00:30+00", "2026-10-26 01:30:00+00"),
        ("*/15 2 * * *", "Europe/Berlin", "2026-03-29 00:59+00", "2026-03-29 01:00:00+00"),
        ("*/15 2 * * *", "Europe/Berlin", "2026-03-29 01:00+00", "2026-03-30 00:00:00+00"),
        // The day that Samoa skipped.
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-29 00:00+00", "2011-12-30 10:00:00+00"),
        ("@yearly", "UTC", "2026-05-05 00:00+00", "2027-01-01 00:00:00+00"),
        ("0 0 29 feb *", "UTC", "2097-01-01 00:00+00", "2104-02-29 00:00:00+00"),
        ("0 9 1 * Mon", "UTC", "2026-06-01 09:00+00", "2026-06-08 09:00:00+00"),
        ("0 0 * * 5-7", "UTC", "2026-06-06 12:00+00", "2026-06-07 00:00:00+00"),
    ])
    func `Gaps, repeated hours and rare days`(cron: String, zone: String, after: String, next: String) async throws {
        try await withWorld(size: 1) { world in
            let rows = try await world.sql(
                "select leasehold.cron_next(leasehold.cron_parse($1), $2, $3::text::timestamptz) = $4::text::timestamptz",
                cron,
                zone,
                after,
                next
            )
            #expect(try rows.only.decode(0, as: Bool.self))
        }
    }

    @Test(arguments: [
        ("61 * * * *", "expected minute to be 0 to 59, got \"61\""),
        ("* 24 * * *", "expected hour to be 0 to 23, got \"24\""),
        ("* * 0 * *", "expected day to be 1 to 31, got \"0\""),
        ("* * * sun *", "expected month to be 1 to 12 or jan to dec, got \"sun\""),
        ("* * * * 8", "expected weekday to be 0 to 7 or sun to sat, got \"8\""),
        ("* 22-4 * * *", "expected hour in rising order, got \"22-4\""),
        ("5/15 * * * *", "expected a step of 1 to 59 after * or a range of minute, got \"5/15\""),
        ("*/0 * * * *", "expected a step of 1 to 59"),
        ("1,,2 * * * *", "expected minute to be 0 to 59, as n, n-n, * or one of the last two with /step; got \"\""),
        ("* * * *", "expected five fields, minute hour day month weekday, got 4"),
        ("* * * * * *", "expected five fields, minute hour day month weekday, got 6"),
        ("", "expected five fields, minute hour day month weekday, got 0"),
        ("@reboot", "expected @hourly, @daily, @weekly, @monthly, @yearly or five fields, got \"@reboot\""),
        ("* * L * *", "expected day to be 1 to 31, got \"L\""),
    ])
    func `A malformed expression is refused with what was expected`(cron: String, message: String) async throws {
        try await withWorld(size: 1) { world in
            let error = await #expect(throws: PostgresError.self) {
                try await world.sql("select leasehold.cron_parse($1)", cron)
            }
            #expect(error?.sqlState == "LH002")
            #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "")")
        }
    }
}
