import Crypto
import Foundation
import LeaseholdCore

/// Seals and opens what is stored: AES-256-GCM with what the cell belongs to as additional data, so
/// that a cell copied to another tenant, column or generation does not open.
///
/// Layout: version (1 byte, 1), length of the key's id (1 byte), the id, nonce (12), ciphertext, tag (16).
/// `leasehold.sealing_key_of` reads the id in SQL.
struct Sealer: Sendable {
    static let version: UInt8 = 1

    let ring: KeyRing

    /// What a cell belongs to.
    struct Place: Sendable {
        enum Column: String, Sendable {
            case refreshToken = "refresh_token"
            case accessToken = "access_token"
            case spool
        }

        let tenant: TenantID
        let column: Column
        let generation: Int64

        /// A tenant's id cannot contain the separator.
        var additionalData: Data { Data("leasehold|\(tenant.rawValue)|\(column.rawValue)|\(generation)".utf8) }
    }

    /// With the newest key.
    func seal(_ plain: [UInt8], at place: Place) throws(SealError) -> [UInt8] {
        let key = ring.newest
        guard let box = try? AES.GCM.seal(plain, using: key.sealing, authenticating: place.additionalData),
            let combined = box.combined
        else { throw SealError.cannotSeal(place) }
        return [Self.version, UInt8(key.id.utf8.count)] + Array(key.id.utf8) + Array(combined)
    }

    func seal(_ secret: Secret, at place: Place) throws(SealError) -> [UInt8] {
        try seal(Array(secret.reveal().utf8), at: place)
    }

    func open(_ sealed: [UInt8], at place: Place) throws(SealError) -> [UInt8] {
        guard let id = Self.keyID(of: sealed) else { throw SealError.notSealed(place) }
        guard let key = ring.key(id) else { throw SealError.keyMissing(place, id: id) }
        let combined = sealed.dropFirst(2 + id.utf8.count)
        guard let box = try? AES.GCM.SealedBox(combined: combined),
            let plain = try? AES.GCM.open(box, using: key.sealing, authenticating: place.additionalData)
        else { throw SealError.doesNotOpen(place) }
        return Array(plain)
    }

    func openSecret(_ sealed: [UInt8], at place: Place) throws(SealError) -> Secret {
        Secret(String(decoding: try open(sealed, at: place), as: UTF8.self))
    }

    /// Step 0 of an exchange: proves that a reply could be sealed now.
    func proveUsable() throws(SealError) {
        guard let tenant = TenantID(rawValue: "test-seal") else { return }
        let place = Place(tenant: tenant, column: .spool, generation: 0)
        let probe: [UInt8] = [1, 2, 3]
        guard try open(try seal(probe, at: place), at: place) == probe else { throw SealError.cannotSeal(place) }
    }

    /// Names a token in the log without giving it away: the key's id and 8 bytes of an HMAC.
    func fingerprint(of token: Secret) -> String {
        let key = ring.newest
        let code = HMAC<SHA256>.authenticationCode(for: Data(token.reveal().utf8), using: key.fingerprint)
        return key.id + ":" + code.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    static func keyID(of sealed: [UInt8]) -> String? {
        guard sealed.count > 2, sealed[0] == version, sealed.count >= 2 + Int(sealed[1]) else { return nil }
        return String(validating: sealed[2..<2 + Int(sealed[1])], as: UTF8.self)
    }
}

/// A cell that cannot be sealed or opened. Names the place, never what is in it.
struct SealError: ExplainedError {
    let label: String
    let message: String
    let hint: String?

    static func cannotSeal(_ place: Sealer.Place) -> SealError {
        SealError(label: "cannot_seal", message: "\(place.text) cannot be sealed", hint: nil)
    }

    static func notSealed(_ place: Sealer.Place) -> SealError {
        SealError(label: "not_sealed", message: "expected \(place.text) to be sealed, got other bytes", hint: nil)
    }

    static func keyMissing(_ place: Sealer.Place, id: String) -> SealError {
        SealError(
            label: "key_missing",
            message: "expected the key ring to hold key \"\(id)\", which seals \(place.text), got none of that id",
            hint: "put the key back into the key ring, then: leasehold keys rotate"
        )
    }

    static func doesNotOpen(_ place: Sealer.Place) -> SealError {
        SealError(
            label: "does_not_open",
            message: "expected \(place.text) to open, got a cell that is damaged or was sealed for another place",
            hint: "restore the row from a backup, or connect the tenant again"
        )
    }
}

extension Sealer.Place {
    fileprivate var text: String { "\(column.rawValue) of tenant \(tenant), generation \(generation)" }
}
