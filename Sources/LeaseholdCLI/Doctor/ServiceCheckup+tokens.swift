import Foundation
import LeaseholdCore
import Postgres
import SQLFiles

extension ServiceCheckup {
    func credentials() async throws -> [Finding] {
        let check = "tokens.credentials"
        let findings = try await pool.query(.doctorTokens).map { row in
            let tenant = try row.decode("tenant_id", as: String.self)
            let since = try row.decode("since_seconds", as: Double?.self).map { Times.span($0) } ?? "an unknown time"
            let detail = try row.decode("detail", as: String?.self) ?? "no reason given"
            switch try row.decode("trouble", as: String.self) {
            case "lost":
                return Finding(
                    .warning,
                    check,
                    of: tenant,
                    "needs a person to connect it again, for \(since): \(detail)",
                    command: "leasehold tenants connect \(tenant) --access-token-file FILE"
                )
            case "overdue":
                return Finding(
                    .problem,
                    check,
                    of: tenant,
                    "expected a refresh, which has been due for \(since)",
                    command: "leasehold worker --worker-roles refresh"
                )
            default:
                return Finding(
                    .warning,
                    check,
                    of: tenant,
                    "its last exchange failed \(since) ago: \(detail)",
                    command: "leasehold tokens history \(tenant)"
                )
            }
        }
        return findings.isEmpty ? [Finding(.ok, check, "every credential can be renewed, none is overdue")] : findings
    }
}
