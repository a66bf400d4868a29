import Foundation
import LeaseholdCore
import TokenVault

/// Credentials as people read them.
extension Table {
    static func credentials(_ credentials: [CredentialStatus]) -> Table {
        var table = Table(columns: [
            "tenant", "state", "generation", "access token", "refresh due", "last exchange", "outcome",
            "error class", "failures",
        ])
        for credential in credentials {
            table.add([
                credential.tenant.rawValue,
                credential.suspectReason.map { "\(credential.state) (\($0))" } ?? credential.state,
                String(credential.generation), Times.distance(credential.accessExpiresAt, from: credential.now),
                Times.distance(credential.refreshDueAt, from: credential.now),
                Times.distance(credential.lastExchangeAt, from: credential.now), credential.lastOutcome,
                credential.lastErrorClass, String(credential.failures),
            ])
        }
        return table
    }

    static func facts(_ credential: CredentialStatus) -> Table {
        var facts = Table(columns: ["fact", "value"])
        let rows: [(String, String?)] = [
            ("tenant", credential.tenant.rawValue), ("state", credential.state),
            ("generation", String(credential.generation)), ("connected by", credential.connectedBy),
            ("connected", Times.stamp(credential.connectedAt)), ("renewed by", credential.renewedBy),
            ("organization", credential.organization), ("scope", credential.scope),
            ("access token expires", Times.distance(credential.accessExpiresAt, from: credential.now)),
            ("refresh due", Times.distance(credential.refreshDueAt, from: credential.now)),
            ("exchanging now", credential.isExchanging ? "yes" : "no"), ("suspect", credential.suspectReason),
            ("rungs tried", credential.rungsTried.isEmpty ? nil : credential.rungsTried.joined(separator: ", ")),
            ("failures in a row", String(credential.failures)),
            ("last exchange", Times.stamp(credential.lastExchangeAt)), ("last outcome", credential.lastOutcome),
            ("last error class", credential.lastErrorClass),
            ("needs authorization since", Times.stamp(credential.needsAuthorizationAt)),
        ]
        for (fact, value) in rows { facts.add([fact, value]) }
        return facts
    }

    static func events(_ events: [CredentialEvent]) -> Table {
        var table = Table(columns: ["at", "event", "generation", "detail"])
        for event in events {
            table.add([Times.stamp(event.at), event.kind, String(event.generation), event.detail])
        }
        return table
    }

    static func exchanges(_ exchanges: [ExchangeRecord]) -> Table {
        var table = Table(columns: [
            "started", "took", "generation", "rung", "grant", "outcome", "error class", "status", "fingerprint",
        ])
        for exchange in exchanges {
            table.add([
                Times.stamp(exchange.startedAt),
                Times.span(exchange.endedAt.timeIntervalSince(exchange.startedAt)), String(exchange.generation),
                exchange.rung, exchange.grant, exchange.outcome, exchange.errorClass,
                exchange.httpStatus.map(String.init), exchange.fingerprint,
            ])
        }
        return table
    }
}
