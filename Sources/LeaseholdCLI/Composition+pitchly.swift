import LeaseholdCore
import Pitchly

extension Composition {
    /// The data API of the chosen generation, with the documents that the settings replace.
    ///
    /// - Throws: ``PitchlySettingError``.
    func makePitchlyAPI(transport: PitchlyTransport) throws -> PitchlyAPI {
        let documents = try settings.text("pitchly.documents").map(DialectDocuments.init(folder:)) ?? .embedded
        return PitchlyAPI(
            configuration: PitchlyAPI.Configuration(url: try settings.pitchlyAPIURL()),
            dialect: try settings.pitchlyDialect.dialect(documents: documents),
            transport: transport
        )
    }
}

extension SettingsLoader {
    var pitchlyDialect: DialectName { text("pitchly.dialect").flatMap(DialectName.init(rawValue:)) ?? .platform }

    /// As it is set, or where Pitchly serves the chosen generation.
    ///
    /// - Throws: ``PitchlySettingError``.
    func pitchlyAPIURL() throws -> PitchlyURL {
        try PitchlyURL(text("pitchly.apiURL") ?? pitchlyDialect.defaultURL, setting: "LEASEHOLD_PITCHLY_API_URL")
    }
}
