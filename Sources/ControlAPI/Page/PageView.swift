/// What the template `view` shows: one page, made of facts, plots, tables and forms.
///
/// Templates see stored properties only, and an empty array or nil is not shown.
struct PageView {
    var heading: String
    var lead: String?
    /// Of the frame round every page; set by ``PageFrame``.
    var nav: [PageLink] = []
    var caller = ""
    var formToken = ""
    var refreshSeconds: Int?
    var refreshLink: PageLink?

    var notice: String?
    var alerts: [PageAlert] = []
    var facts: [PageFact] = []
    var hasFacts = false
    var actions: [PageAction] = []
    var hasActions = false
    /// Ways to something else than another page of these.
    var links: [PageLink] = []
    var filter: PageFilter?
    var plots: [PagePlot] = []
    var tables: [PageTable] = []
    var texts: [PageText] = []
    var next: PageLink?

    init(_ heading: String, lead: String? = nil) {
        self.heading = heading
        self.lead = lead
    }
}

struct PageLink {
    var label: String
    var target: String
    var isCurrent = false
}

/// Something that a person should look at.
struct PageAlert {
    /// `bad` or `warn`.
    var tone: String
    var text: String
    var target: String
}

/// A name and a value.
struct PageFact {
    var term: String
    var value: String
    var note: String?
    /// A class of the style sheet: `bad`, `warn`, `good`; empty for none.
    var tone = ""
    var link: String?

    init(_ term: String, _ value: String, note: String? = nil, tone: String = "", link: String? = nil) {
        self.term = term
        self.value = value
        self.note = note
        self.tone = tone
        self.link = link
    }
}

/// A button that changes something.
struct PageAction {
    var title: String
    var path: String
    /// Asked before it is done; nil does it at once.
    var question: String?
    var token: String
    /// Sent along.
    var fields: [PageField] = []
    /// To be filled in.
    var inputs: [PageInput] = []
    /// Of the button: `bad` for what cannot be taken back.
    var tone = "bad"
}

struct PageField {
    var name: String
    var value: String
}

struct PageTable {
    var caption: String
    var columns: [String]
    var rows: [PageTableRow] = []
    /// Shown instead of no rows.
    var empty: String
    var isEmpty = true

    init(_ caption: String, _ columns: [String], empty: String, rows: [[PageCell]]) {
        self.caption = caption
        self.columns = columns
        self.empty = empty
        self.isEmpty = rows.isEmpty
        self.rows = rows.map { cells in
            PageTableRow(
                cells: zip(columns, cells).map { column, cell in
                    var cell = cell
                    cell.column = column
                    return cell
                }
            )
        }
    }
}

struct PageTableRow {
    var cells: [PageCell]
}

struct PageCell {
    var text: String
    var link: String?
    var tone: String
    /// The exact value behind a rounded one.
    var exact: String?
    /// The column's name, shown beside the value on narrow screens.
    var column = ""

    init(_ text: String?, link: String? = nil, tone: String = "", exact: String? = nil) {
        let text = text ?? ""
        self.text = text.isEmpty ? "–" : text
        self.link = link
        // Nothing is neither good nor bad, and takes no place on narrow screens.
        self.tone = text.isEmpty ? "none" : tone
        self.exact = exact
    }
}

/// A long text with a name, such as args or an error.
struct PageText {
    var caption: String
    var text: String
}

/// A form whose fields go into the address, so that a filtered page can be shared.
struct PageFilter {
    var path: String
    var inputs: [PageInput] = []
    var choices: [PageChoice] = []
    var clear: String?
}

struct PageInput {
    var name: String
    var title: String
    var value: String
    var hint: String
}

struct PageChoice {
    var name: String
    var title: String
    var options: [PageOption]

    init(name: String, title: String, values: [String], current: String?) {
        self.name = name
        self.title = title
        options =
            [PageOption(value: "", title: "all", isCurrent: current == nil)]
            + values.map { PageOption(value: $0, title: $0, isCurrent: $0 == current) }
    }
}

struct PageOption {
    var value: String
    var title: String
    var isCurrent: Bool
}
