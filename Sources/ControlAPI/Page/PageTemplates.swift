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
