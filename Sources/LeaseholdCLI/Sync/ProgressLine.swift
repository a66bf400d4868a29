import Foundation

/// Where the commands show what is under way: standard error, so that the answer stays alone on
/// standard output. On a terminal one line is written over; elsewhere a line is written when it says
/// something new, at most every five seconds.
struct ProgressLine {
    private let isTerminal: Bool
    private let isSilent: Bool
    private var last = ""
    private var lastAt = Date.distantPast
    private let now: () -> Date
    private let write: (String) -> Void

    /// - Parameter isSilent: for `--json`.
    init(
        isSilent: Bool,
        isTerminal: Bool = isatty(FileHandle.standardError.fileDescriptor) == 1,
        now: @escaping () -> Date = Date.init,
        write: @escaping (String) -> Void = { FileHandle.standardError.write(Data($0.utf8)) }
    ) {
        self.isSilent = isSilent
        self.isTerminal = isTerminal
        self.now = now
        self.write = write
    }

    mutating func show(_ text: String) {
        guard !isSilent, text != last else { return }
        if isTerminal {
            write("\r\u{1B}[2K\(text)")
        } else {
            guard now().timeIntervalSince(lastAt) >= 5 else { return }
            write(text + "\n")
        }
        last = text
        lastAt = now()
    }

    /// A line that stays, such as a table that is done.
    mutating func keep(_ text: String) {
        guard !isSilent else { return }
        write(isTerminal ? "\r\u{1B}[2K\(text)\n" : text + "\n")
        last = ""
    }

    mutating func clear() {
        if isTerminal, !isSilent, !last.isEmpty { write("\r\u{1B}[2K") }
        last = ""
    }
}
