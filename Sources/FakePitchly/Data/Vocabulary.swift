/// The words that seeded cells are made of, as JSON-escaped bytes. They hold what breaks careless
/// programs: quotes, backslashes, line feeds, combining marks, right-to-left text, emoji of several
/// scalars, and letters outside the basic plane.
enum Vocabulary {
    static let givenNames = escaped([
        "Jacob", "Maria", "Zoë", "Ørjan", "李", "محمد", "Siobhán", "Nguyễn", "Łukasz", "Anna-Lena", "D'Arcy", "𝒜da",
        "Γιώργος", "Мария", "さくら", "Priya",
    ])
    static let familyNames = escaped([
        "Lincoln", "Müller & Söhne", "O\u{2019}Brien", "Smith \"Jr.\"", "Çelik", "García", "de la Cruz", "小龍", "Иванов",
        "Van der Berg", "C:\\Users", "Nuñez", "Åström", "Bjo\u{308}rk", "עברית", "Kowalska 👩‍👩‍👧‍👦",
    ])
    static let sentences = escaped([
        "Met at the spring conference in Omaha.", "Prefers e-mail over phone.", "Asked for a \"fixed price\" offer.",
        "Rate agreed: 12 % off; see annex A\\B.", "Très satisfait du service, à recontacter.", "🚀 Go-live moved twice.",
        "Line one\nline two\ttabbed.", "Weiterführende Fragen an die Buchhaltung.", "联系人已更换。",
        "…and so on — as agreed.",
        "Budget < 50k & > 20k.", "Zero\u{200B}width and a soft\u{AD}hyphen.", "שלום לכולם", "Ends with a backslash \\",
        "نص من اليمين إلى اليسار", "Total: 100 % 'done'.",
    ])
    static let cities = escaped([
        "Lincoln", "Omaha", "Des Moines", "Zürich", "São Paulo", "東京", "\"The City\"", "Kraków",
    ])
    static let services = escaped([
        "Audit", "Tax", "Advisory", "M&A", "Payroll/HR", "IT – Sécurité", "R&D \u{1F4A1}", "Other",
    ])
    static let files: [(suffix: [UInt8], member: [UInt8])] = [
        (".png", "image/png"), (".jpg", "image/jpeg"), (".pdf", "application/pdf"), (".csv", "text/csv"),
    ].map { (Array($0.utf8), Array("\"type\":\"\($1)\"".utf8)) }
    static let currencies: [(code: String, sign: [UInt8], member: [UInt8])] = [
        ("USD", "$"), ("EUR", "€"), ("GBP", "£"), ("JPY", "¥"),
    ].map { ($0, Array($1.utf8), Array("\"currency\":\"\($0)\"".utf8)) }

    static func sign(ofCurrency code: String) -> String {
        currencies.first { $0.code == code }.map { String(decoding: $0.sign, as: UTF8.self) } ?? code
            + " "
    }

    private static func escaped(_ words: [String]) -> [[UInt8]] { words.map(JSONWriter.escaped) }
}
