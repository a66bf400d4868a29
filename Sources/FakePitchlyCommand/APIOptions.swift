import ArgumentParser
import FakePitchly

struct APIOptions: ParsableArguments {
    @Option(help: "The most records a page has.")
    var maxPageSize = APISettings().maxPageSize

    @Option(help: "What becomes of a request for more: clamped or refused.")
    var oversizedPages = APISettings.OversizedPages.clamped

    @Option(help: "Ids of fields in a table: composite, as in cells, or plain.")
    var fieldIds = APISettings.FieldIDs.composite

    @Option(help: "Who may ask for the schema: open, authenticated or disabled.")
    var introspection = IntrospectionAccess.authenticated

    func validate() throws {
        guard maxPageSize > 0 else {
            throw ValidationError("expected --max-page-size to be 1 or more, got \(maxPageSize)")
        }
    }

    func apply(to configuration: inout FakePitchlyConfiguration) {
        configuration.api.maxPageSize = maxPageSize
        configuration.api.oversizedPages = oversizedPages
        configuration.api.fieldIDs = fieldIds
        configuration.api.introspection = introspection
    }
}

extension APISettings.OversizedPages: ExpressibleByArgument {}
extension APISettings.FieldIDs: ExpressibleByArgument {}
extension IntrospectionAccess: ExpressibleByArgument {}
