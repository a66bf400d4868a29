import Foundation

/// The manual page as roff, made from the commands' own help.
struct ManualPage {
    let root: CommandTree.Command

    func text() -> String {
        var lines = [
            ".\\\" Made from the program's help: LEASEHOLD_UPDATE_MAN=1 scripts/test CommandTreeTests",
            ".TH LEASEHOLD 1 \"\" \"leasehold\" \"User Commands\"", ".SH NAME",
            "leasehold \\- \(Self.escape(root.abstract ?? ""))", ".SH SYNOPSIS", ".B leasehold", ".I command",
            "[\\fIoptions\\fR]", ".SH DESCRIPTION",
        ]
        lines += Self.paragraphs(root.discussion ?? "")
        lines.append(".SH COMMANDS")
        for (path, command, _) in root.all().dropFirst() { lines += section(path, command) }
        lines += [
            ".SH \"EXIT STATUS\"",
            "0: done. 1: it failed, and standard error says what was expected, what came and what to try.",
            "64: the words of the call are off. \\fBleasehold doctor\\fR: 0 all is well, 1 a warning, 2 a problem.",
            ".SH ENVIRONMENT",
            "\\fBleasehold settings\\fR lists every variable with its meaning and the value in force.",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private func section(_ path: String, _ command: CommandTree.Command) -> [String] {
        let shown = (command.arguments ?? []).filter {
            $0.shouldDisplay && $0.names?.contains { $0.name == "help" } != true
        }
        let synopsis = shown.filter { $0.kind == "positional" }.map { argument in
            let name = "\\fI\(Self.escape(argument.valueName ?? "value"))\\fR"
            return argument.isOptional ? "[\(name)]" : name
        }
        var lines = [
            ".SS \"\(path)\"",
            ([".B \(path)"] + (synopsis.isEmpty ? [] : [synopsis.joined(separator: " ")])).joined(separator: "\n"),
        ]
        lines += [".PP", Self.escape(command.abstract ?? "")]
        lines += Self.paragraphs(command.discussion ?? "")
        guard command.children.isEmpty else { return lines }
        for argument in shown {
            let names = (argument.names ?? []).map {
                "\\fB" + ($0.kind == "long" ? "\\-\\-" : "\\-") + Self.escape($0.name) + "\\fR"
            }
            let value = argument.kind == "flag" ? "" : " \\fI\(Self.escape(argument.valueName ?? "value"))\\fR"
            let head =
                names.isEmpty
                ? "\\fI\(Self.escape(argument.valueName ?? "value"))\\fR" : names.joined(separator: ", ") + value
            let initial = argument.defaultValue.map { " Default: \(Self.escape($0))." } ?? ""
            lines += [".TP", head, Self.escape(argument.abstract ?? "") + initial]
        }
        return lines
    }

    /// Indented lines are examples and keep their shape.
    private static func paragraphs(_ text: String) -> [String] {
        guard !text.isEmpty else { return [] }
        var lines: [String] = [".PP"]
        var isExample = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let indented = line.hasPrefix("  ")
            if indented != isExample, !line.isEmpty {
                lines.append(indented ? ".nf" : ".fi")
                isExample = indented
            }
            lines.append(line.isEmpty ? ".PP" : escape(String(line)))
        }
        return lines + (isExample ? [".fi"] : [])
    }

    private static func escape(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        return escaped.hasPrefix(".") || escaped.hasPrefix("'") ? "\\&" + escaped : escaped
    }
}
