import FakePitchly
import Foundation
import Testing

/// What each fault looks like on the wire, and what it leaves in the ledger.
@Suite struct TokenFaultTests {
    /// Sends one refresh over a bare connection and reads until it ends.
    private func rawRefresh(
        _ server: FakePitchlyServer,
        _ token: String
    ) async throws -> (text: String, end: RawConnection.End) {
        let oauth = server.configuration.oauth
        let body =
            "grant_type=refresh_token&refresh_token=\(token)&client_id=\(oauth.clientID)"
            + "&client_secret=\(oauth.clientSecret)"
        let connection = try await RawConnection.open(port: server.port)
        try await connection.send(
            rawPost(FakePaths.token, "application/x-www-form-urlencoded", body, headers: "connection: close\r\n")
        )
        return try await connection.readToEnd()
    }

    private func onlyGeneration(
        _ server: FakePitchlyServer,
        _ number: Int = 0
    ) throws -> LedgerSnapshot.Generation {
        try #require(server.ledger().organizations.first?.generations.first { $0.generation == number })
    }

    @Test(arguments: [Fault.Moment.before, .after])
    func aServerErrorComesBeforeOrAfterRotation(moment: Fault.Moment) async throws {
        try await withFake { server, client in
            let token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            server.faults.add(FaultRule(.answer(.init(status: 503), moment), at: .token))
            #expect(try await client.refresh(token).status == 503)
            let isSpent = moment == .after
            let generation = try onlyGeneration(server)
            #expect((generation.spentAt != nil) == isSpent)
            #expect(server.ledger().totals.repliesLost == (isSpent ? 1 : 0))
            #expect(try await client.refresh(token).status == (isSpent ? 400 : 200))
            #expect(server.ledger().totals.presentedTwice == 1, "both POSTs had to be feared")
        }
    }

    @Test(arguments: [Fault.RetryAfter.seconds(7), .date(inSeconds: 60)])
    func tooManyRequestsSpendNothing(retryAfter: Fault.RetryAfter) async throws {
        try await withFake {
            $0.clock = { fixedDate }
        } _: { server, client in
            let token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            server.faults.add(FaultRule(.answer(.init(status: 429, retryAfter: retryAfter), .before), at: .token))
            let answer = try await client.refresh(token)
            #expect(answer.status == 429)
            let expected = retryAfter == .seconds(7) ? "7" : "Fri, 15 Mar 2024 12:01:00 GMT"
            #expect(answer.headers["retry-after"] == expected)
            #expect(try await client.refresh(token).status == 200)
            let totals = server.ledger().totals
            #expect(totals.presentedTwice == 0, "429 says that nothing was looked at")
            #expect(totals.postedTwice == 1)
            #expect(totals.throttled == 1)
        }
    }

    @Test(arguments: [Fault.Moment.before, .after], [false, true])
    func theConnectionEndsWithoutAnAnswer(moment: Fault.Moment, isReset: Bool) async throws {
        try await withFake { server, _ in
            let token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            server.faults.add(FaultRule(.close(moment, isReset: isReset), at: .token))
            let (text, end) = try await rawRefresh(server, token)
            #expect(text == "")
            #expect(end == (isReset ? .reset : .closed))
            let generation = try onlyGeneration(server)
            #expect(generation.posts == 1)
            #expect((generation.spentAt != nil) == (moment == .after))
            #expect(server.requests.entries().last?.status == nil)
        }
    }

    @Test(arguments: [0, 1, 17, 100])
    func theBodyIsCutAfterSoManyBytes(count: Int) async throws {
        try await withFake { server, _ in
            let token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            server.faults.add(FaultRule(.cut(.body(after: count)), at: .token))
            let (text, end) = try await rawRefresh(server, token)
            let halves = text.components(separatedBy: "\r\n\r\n")
            #expect(halves.count == 2)
            #expect(halves[1].utf8.count == count)
            #expect(halves[0].hasPrefix("HTTP/1.1 200 OK\r\n"))
            let promised = try #require(halves[0].firstMatch(of: /content-length: (\d+)/).flatMap { Int($0.1) })
            #expect(promised > count)
            #expect(end == .closed)
            #expect(server.ledger().totals.repliesLost == 1)
        }
    }

    @Test func aChunkedBodyIsCutInsideItsChunk() async throws {
        try await withFake { server, _ in
            let token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            server.faults.add(FaultRule(.cut(.chunkedBody(after: 10)), at: .token))
            let (text, _) = try await rawRefresh(server, token)
            #expect(text.contains("transfer-encoding: chunked"))
            #expect(text.hasSuffix("\r\n{\"access_t"))
        }
    }

    @Test(arguments: [1, 12, 40])
    func theAnswerIsCutInsideItsHead(count: Int) async throws {
        try await withFake { server, _ in
            let token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            server.faults.add(FaultRule(.cut(.message(after: count)), at: .token))
            #expect(try await rawRefresh(server, token).text.utf8.count == count)
        }
    }

    @Test(arguments: [200, 403, 502])
    func aPageOfHTMLComesInstead(status: Int) async throws {
        try await withFake { server, client in
            let token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            server.faults.add(FaultRule(.answer(.init(status: status, body: .html), .after), at: .token))
            let answer = try await client.refresh(token)
            #expect(answer.status == status)
            #expect(answer.headers["content-type"]?.hasPrefix("text/html") == true)
            #expect(answer.body.hasPrefix("<!doctype html>"))
        }
    }

    @Test func aTrickledAnswerIsWholeInTheEnd() async throws {
        try await withFake { server, client in
            let token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            server.faults.add(FaultRule(.trickle(bytes: 20, pause: .milliseconds(1)), at: .token))
            let answer = try await client.refresh(token)
            #expect(answer.status == 200)
            #expect(try await client.refresh(answer.refreshToken).status == 200)
            #expect(server.ledger().totals.repliesLost == 0)
        }
    }

    @Test func aHeldPOSTIsActedUponThoughItsClientHasGone() async throws {
        try await withFake { server, client in
            let organization = server.organizationIDs[0]
            let token = try server.makeGrant(organization: organization).refreshToken
            let (gate, acted) = (FaultGate(), FaultGate())
            server.faults.add(FaultRule(.hold(gate, .before), at: .token))
            server.faults.add(FaultRule(.hold(acted, .after), at: .token))
            let oauth = server.configuration.oauth
            let connection = try await RawConnection.open(port: server.port)
            try await connection.send(
                rawPost(
                    FakePaths.token,
                    "application/x-www-form-urlencoded",
                    "grant_type=refresh_token&refresh_token=\(token)&client_id=\(oauth.clientID)"
                        + "&client_secret=\(oauth.clientSecret)"
                )
            )
            await gate.arrivals(1)
            #expect(server.currentRefreshTokens(organization: organization) == [token])
            #expect(server.ledger().totals.maxInFlight == 1)
            try await connection.close()
            gate.open()
            await acted.arrivals(1)
            #expect(server.currentRefreshTokens(organization: organization) != [token])
            #expect(try await client.refresh(token).error == "invalid_grant")
            acted.open()
        }
    }

    @Test func repliesComeWithMembersMissingOrOdd() async throws {
        try await withFake { server, client in
            var token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            func next(_ fault: Fault.TokenReplyFault) async throws -> FakeClient.Answer {
                server.faults.add(FaultRule(.tokenReply(fault), at: .token))
                let answer = try await client.refresh(token)
                token = server.currentRefreshTokens(organization: server.organizationIDs[0])[0]
                return answer
            }
            #expect(try await next(.withoutRefreshToken).json["refresh_token"].isNull)
            #expect(try await next(.withoutAccessToken).json["access_token"].isNull)
            #expect(try await next(.expiresIn(nil)).json.objectValue?["expires_in"] == nil)
            #expect(try await next(.expiresIn("soon")).json["expires_in"] == "soon")
            #expect(try await next(.expiresIn(-1)).json["expires_in"] == -1)
            #expect(try await next(.extraMembers).json["organization"]["tags"][1].isNull)
            let malformed = try await next(.malformedJSON)
            #expect(malformed.status == 200)
            #expect(malformed.json.isNull && malformed.body.hasPrefix("{"))
            let error = try await next(.error("server_error"))
            #expect(error.error == "server_error")
        }
    }

    @Test func everyPOSTOfOneConnectionIsSeenAsSuch() async throws {
        try await withFake { server, client in
            var token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            for _ in 0..<3 { token = try await client.refresh(token).refreshToken }
            let entries = server.requests.entries()
            #expect(entries.map(\.grant) == ["refresh_token", "refresh_token", "refresh_token"])
            #expect(Set(entries.map(\.connection)).count == 1, "the client kept its connection")
            #expect(entries.map(\.requestOnConnection) == [1, 2, 3])
            #expect(entries.allSatisfy { $0.organization == server.organizationIDs[0] && $0.status == 200 })
        }
    }
}
