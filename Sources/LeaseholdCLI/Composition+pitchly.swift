import LeaseholdCore
import Pitchly

extension Composition {
    /// The data API of the chosen generation, with the documents that the settings replace.
    ///
    /// - Throws: ``PitchlySettingError``.
    func makePitchlyAPI(transport: PitchlyTransport) throws -> PitchlyAPI {
        let name = settings.text("pitchly.dialect").flatMap(DialectName.init(rawValue:)) ?? .platform
        let documents = try settings.text("pitchly.documents").map(DialectDocuments.init(folder:)) ?? .embedded
        let url = try PitchlyURL(
            settings.text("pitchly.apiURL") ?? name.defaultURL,
            setting: "LEASEHOLD_PITCHLY_API_URL"
        )
        return PitchlyAPI(
            configuration: PitchlyAPI.Configuration(url: url),
            dialect: try name.dialect(documents: documents),
            transport: transport
        )
    }
}
