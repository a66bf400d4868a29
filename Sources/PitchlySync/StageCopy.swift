import LeaseholdCore
import Pitchly

/// The rows of one page in PostgreSQL's binary COPY format: the cells are already bytes, so that
/// nothing is escaped or converted on the way.
struct StageCopy {
    /// COPY cannot be prepared, so it has no file of its own.
    static let statement = """
        copy leasehold.mirror_stage (tenant_id, sync_id, page, record_id, content_hash, fields, labels)
        from stdin (format binary)
        """

    private(set) var bytes: [UInt8]
    private let prefix: [UInt8]

    /// - Parameter page: rises with every page of a run; of two copies of a record the later counts.
    init(tenant: TenantID, syncID: Int64, page: Int32, records: [PitchlyRecord]) {
        var prefix: [UInt8] = []
        prefix.append(bigEndian: Int16(7))
        prefix.append(field: tenant.rawValue.utf8)
        prefix.append(bigEndian: Int32(8))
        prefix.append(bigEndian: syncID)
        prefix.append(bigEndian: Int32(4))
        prefix.append(bigEndian: page)
        self.prefix = prefix
        bytes = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00] + [UInt8](repeating: 0, count: 8)
        bytes.reserveCapacity(
            records.reduce(64) { $0 + prefix.count + 60 + $1.id.utf8.count + $1.fields.count + ($1.labels?.count ?? 0) }
        )
        for record in records { append(record) }
        bytes.append(bigEndian: Int16(-1))
    }

    private mutating func append(_ record: PitchlyRecord) {
        bytes.append(contentsOf: prefix)
        bytes.append(field: record.id.utf8)
        bytes.append(field: record.contentHash)
        bytes.append(field: record.fields)
        if let labels = record.labels {
            bytes.append(field: labels)
        } else {
            bytes.append(bigEndian: Int32(-1))
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    /// Length and content. A field is at most an answer long, far below the format's 2 GiB.
    fileprivate mutating func append(field: some Collection<UInt8>) {
        append(bigEndian: Int32(field.count))
        append(contentsOf: field)
    }
}
