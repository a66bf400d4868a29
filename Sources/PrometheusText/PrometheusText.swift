/// Text of the Prometheus exposition format 0.0.4 in the making.
struct PrometheusText {
    private(set) var text = ""
    private let prefix: String

    init(prefix: String) { self.prefix = prefix }

    /// Writes the lines before a metric's series.
    ///
    /// - Returns: the metric's full name.
    mutating func begin(_ label: String, kind: MetricDescription.Kind, help: String) -> String {
        let name = Self.name(prefix: prefix, label: label, kind: kind)
        text += "# HELP \(name) \(Self.escapedHelp(help))\n# TYPE \(name) \(kind.rawValue)\n"
        return name
    }

    mutating func add(_ name: String, labels: String, value: Double) {
        text += name
        if !labels.isEmpty { text += "{\(labels)}" }
        text += " \(Self.number(value))\n"
    }

    /// `leasehold` and `job.claimed` of a counter are `leasehold_job_claimed_total`.
    static func name(prefix: String, label: String, kind: MetricDescription.Kind) -> String {
        var name = prefix + "_" + safeName(label, colons: true)
        if kind == .counter && !name.hasSuffix("_total") { name += "_total" }
        return name
    }

    /// A label set between its braces, in the order of the names; the last of two equal names counts.
    static func labels(_ dimensions: [(String, String)]) -> String {
        let unique = Dictionary(dimensions.map { (safeName($0.0, colons: false), $0.1) }) { _, last in last }
        return unique.sorted { $0.key < $1.key }
            .map { "\($0.key)=\"\(escapedValue($0.value))\"" }
            .joined(separator: ",")
    }

    /// Letters, digits and `_`, no digit first; anything else becomes `_`.
    static func safeName(_ name: String, colons: Bool) -> String {
        var safe = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                safe.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if safe.isEmpty { safe = "_" }
                safe.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: ":") where colons: safe += ":"
            default: safe += "_"
            }
        }
        return safe.isEmpty ? "_" : safe
    }

    static func escapedHelp(_ help: String) -> String {
        help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    static func escapedValue(_ value: String) -> String {
        escapedHelp(value).replacing("\"", with: "\\\"")
    }

    /// Whole numbers without a fraction; `+Inf`, `-Inf` and `NaN` as Go writes them.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }
}
