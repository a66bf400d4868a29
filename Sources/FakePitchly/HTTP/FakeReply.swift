/// An answer before it is sent, and how it travels.
struct FakeReply: Sendable {
    var status: Int
    var headers: [(name: String, value: String)] = []
    var body = Body.bytes([])
    var delivery = Delivery.whole
    /// Called where the answer could not be sent whole.
    var onLost: (@Sendable () -> Void)?

    enum Body: Sendable {
        case bytes([UInt8])
        /// Pieces until nil; the answer is chunked.
        case pieces(@Sendable () async throws -> [UInt8]?)
    }

    enum Delivery: Sendable {
        case whole
        /// Nothing comes, the connection ends.
        case closed
        /// Nothing comes, the connection ends with a TCP reset.
        case reset
        case cut(Fault.Cut)
        case trickle(bytes: Int, pause: Duration)
    }

    init(status: Int, delivery: Delivery = .whole) {
        self.status = status
        self.delivery = delivery
    }

    static func json(_ bytes: [UInt8], status: Int = 200) -> FakeReply {
        var reply = FakeReply(status: status)
        reply.headers = [("content-type", "application/json; charset=utf-8"), ("cache-control", "no-store")]
        reply.body = .bytes(bytes)
        return reply
    }

    static func json(_ value: JSONValue, status: Int = 200) -> FakeReply {
        json(Array(value.text.utf8), status: status)
    }

    static func html(_ text: String, status: Int = 200) -> FakeReply {
        var reply = FakeReply(status: status)
        reply.headers = [("content-type", "text/html; charset=utf-8")]
        reply.body = .bytes(Array("<!doctype html>\n\(text)\n".utf8))
        return reply
    }

    static func redirect(to location: String) -> FakeReply {
        var reply = FakeReply(status: 302)
        reply.headers = [("location", location)]
        return reply
    }

    static func throttled(retryAfter seconds: Int, body: JSONValue) -> FakeReply {
        var reply = json(body, status: 429)
        reply.headers.append(("retry-after", String(seconds)))
        return reply
    }

    /// The answer of a fault; `now` in milliseconds since 1970.
    init(_ answer: Fault.Answer, now: Int) {
        switch answer.body {
        case .json:
            self = .json(
                ["error": "temporarily_unavailable", "message": "A fault of the fake."],
                status: answer.status
            )
        case .html:
            self = .html(
                "<title>\(answer.status)</title><h1>\(answer.status)</h1><p>A fault.</p>",
                status: answer.status
            )
        case .empty: self.init(status: answer.status)
        }
        switch answer.retryAfter {
        case .seconds(let seconds): headers.append(("retry-after", String(seconds)))
        case .date(let seconds): headers.append(("retry-after", HTTPDate.text(milliseconds: now + seconds * 1_000)))
        case nil: break
        }
    }

    /// Whether any of it goes out.
    var hasStatus: Bool {
        switch delivery {
        case .whole, .trickle, .cut: true
        case .closed, .reset: false
        }
    }

    /// Whether all of it goes out.
    var isWhole: Bool {
        switch delivery {
        case .whole, .trickle: true
        case .closed, .reset, .cut: false
        }
    }
}

/// IMF-fixdate (RFC 9110 section 5.6.7).
enum HTTPDate {
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// For times after 1970.
    static func text(milliseconds: Int) -> String {
        let day = milliseconds / CivilTime.millisecondsPerDay
        let date = CivilTime.date(ofDay: day)
        let iso = CivilTime.iso(milliseconds: milliseconds)
        let time = iso.dropFirst(11).prefix(8)
        let dayOfMonth = iso.dropFirst(8).prefix(2)
        return "\(weekdays[day % 7]), \(dayOfMonth) \(months[date.month - 1]) \(date.year) \(time) GMT"
    }
}
