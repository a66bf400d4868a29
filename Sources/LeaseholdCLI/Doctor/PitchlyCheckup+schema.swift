import LeaseholdCore
import Pitchly

extension PitchlyCheckup {
    /// Whether every document of the chosen dialect fits the schema that the API tells of itself.
    func schema(_ client: PitchlyClient) async -> [Finding] {
        let check = "pitchly.schema"
        let live: SchemaOutline
        do {
            live = try await client.read(SchemaProbe.operation)
        } catch let error as PitchlyError where [.invalidDocument, .server, .malformed].contains(error.kind) {
            return [
                Finding(
                    .warning,
                    check,
                    of: client.dialect.name.rawValue,
                    "expected the API to tell its schema, got: \(error.message)",
                    command: "compare the documents with Pitchly's published schema by hand"
                )
            ]
        } catch {
            return [Finding(check, of: client.dialect.name.rawValue, failed: error)]
        }
        var report = DoctorReport()
        await report.check(check) {
            let documents = try settings.text("pitchly.documents").map(DialectDocuments.init(folder:)) ?? .embedded
            let comparison = try SchemaComparison(live: live, dialect: client.dialect.name)
            return try Self.findings(comparison, type(of: client.dialect).catalog, documents)
        }
        return report.findings
    }

    private static func findings(
        _ comparison: SchemaComparison,
        _ catalog: [DialectDocument],
        _ documents: DialectDocuments
    ) throws -> [Finding] {
        var findings: [Finding] = []
        for document in catalog {
            let differences = try comparison.differences(of: document, in: documents)
            findings += differences.map { finding($0, document) }
            if !differences.contains(where: { $0.gravity != .nullable }) {
                findings.append(Finding(.ok, "pitchly.schema", of: document.file, "fits the API's schema"))
            }
        }
        return findings
    }

    private static func finding(_ difference: SchemaDifference, _ document: DialectDocument) -> Finding {
        let level: Finding.Level =
            switch difference.gravity {
            case .breaking: .problem
            case .doubtful: .warning
            case .nullable: .note
            }
        return Finding(
            level,
            "pitchly.schema",
            of: document.file,
            "\(difference.place) \(difference.message)",
            command: difference.gravity == .nullable
                ? nil
                : "put a mended \(document.file) into a folder and set \(DialectDocuments.setting) to the folder"
        )
    }
}
