import Mustache

/// The page's templates, compiled once. Whatever they are given is escaped, but for the plots, which
/// are markup made here of numbers.
enum PageTemplates {
    static let sources: [(name: String, bytes: [UInt8])] = [
        ("layout", PackageResources.layout_mustache), ("message", PackageResources.message_mustache),
        ("login", PackageResources.login_mustache), ("view", PackageResources.view_mustache),
    ]

    /// Nil only if a template is broken; a test compiles each.
    private static let library: MustacheLibrary? = {
        var templates: [String: MustacheTemplate] = [:]
        for (name, bytes) in sources {
            guard let template = try? compile(bytes) else { return nil }
            templates[name] = template
        }
        return MustacheLibrary(templates: templates)
    }()

    static func compile(_ bytes: [UInt8]) throws -> MustacheTemplate {
        try MustacheTemplate(string: String(decoding: bytes, as: UTF8.self))
    }

    static func render(_ name: String, _ object: Any) -> String {
        library?.render(object, withTemplate: name) ?? ""
    }
}

/// A page has up to a thousand cells, and reflecting on each of them, and on all that is round it for what it
/// lacks, takes longer than the database. So cells answer by name, and the template asks with a leading dot
/// for what may be missing.
extension PageCell: MustacheParent {
    func child(named name: String) -> Any? {
        switch name {
        case "text": text
        case "link": link
        case "tone": tone
        case "exact": exact
        case "column": column
        default: nil
        }
    }
}

extension PageTableRow: MustacheParent {
    func child(named name: String) -> Any? { name == "cells" ? cells : nil }
}
