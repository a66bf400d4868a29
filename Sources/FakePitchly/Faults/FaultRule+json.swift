/// Rules as the control plane takes them, one flat object:
/// `{"fault": "answer", "endpoint": "token", "when": "after", "status": 503, "count": 2}`.
extension FaultRule {
    package struct Malformed: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    package init(json: JSONValue) throws(Malformed) {
        self.init(try Self.fault(json), at: try Self.choice(json, "endpoint"))
        organization = json["organization"].stringValue
        grant = try Self.choice(json, "grant")
        operation = json["operation"].stringValue
        table = json["table"].stringValue
        skip = json["skip"].intValue ?? 0
        if let object = json.objectValue, let given = object["count"] { count = given.intValue }
        probability = json["probability"].doubleValue ?? 1
        seed = UInt64(bitPattern: Int64(json["seed"].intValue ?? 1))
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ json: JSONValue,
        _ name: String
    ) throws(Malformed) -> Choice? where Choice.RawValue == String {
        guard let text = json[name].stringValue else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw Malformed(description: "expected \"\(name)\" to be one of \(known), got \"\(text)\"")
    }

    private static let known = """
        delay, answer, close, reset, cut, cut_chunked, cut_message, trickle, without_refresh_token, \
        without_access_token, expires_in, malformed_token_json, extra_members, oauth_error, unauthenticated, \
        expired_cursor, empty_page, graphql_errors, malformed_graphql_json
        """

    private static func fault(_ json: JSONValue) throws(Malformed) -> Fault {
        let when = Fault.Moment(rawValue: json["when"].stringValue ?? "before") ?? .before
        let milliseconds = { (name: String) in Duration.milliseconds(json[name].intValue ?? 0) }
        let bytes = json["bytes"].intValue ?? 0
        switch json["fault"].stringValue ?? "" {
        case "delay": return .delay(milliseconds("milliseconds"), when)
        case "answer": return .answer(try answer(json), when)
        case "close": return .close(when, isReset: false)
        case "reset": return .close(when, isReset: true)
        case "cut": return .cut(.body(after: bytes))
        case "cut_chunked": return .cut(.chunkedBody(after: bytes))
        case "cut_message": return .cut(.message(after: bytes))
        case "trickle": return .trickle(bytes: max(bytes, 1), pause: milliseconds("milliseconds"))
        case "without_refresh_token": return .tokenReply(.withoutRefreshToken)
        case "without_access_token": return .tokenReply(.withoutAccessToken)
        case "expires_in": return .tokenReply(.expiresIn(json.objectValue?["value"]))
        case "malformed_token_json": return .tokenReply(.malformedJSON)
        case "extra_members": return .tokenReply(.extraMembers)
        case "oauth_error": return .tokenReply(.error(json["code"].stringValue ?? "server_error"))
        case "unauthenticated":
            return .graphQL(.unauthenticated(invalidates: json["invalidates"].boolValue ?? true))
        case "expired_cursor": return .graphQL(.expiredCursor)
        case "empty_page": return .graphQL(.emptyPage)
        case "graphql_errors":
            let codes = json["codes"].arrayValue?.compactMap(\.stringValue) ?? ["INTERNAL_SERVER_ERROR"]
            return .graphQL(.errors(codes, keepsData: json["keepsData"].boolValue ?? false))
        case "malformed_graphql_json": return .graphQL(.malformedJSON)
        case let other:
            throw Malformed(description: "expected \"fault\" to be one of \(known), got \"\(other)\"")
        }
    }

    private static func answer(_ json: JSONValue) throws(Malformed) -> Fault.Answer {
        let status = json["status"].intValue ?? 503
        guard (200...599).contains(status) else {
            throw Malformed(description: "expected \"status\" to be 200 to 599, got \(status)")
        }
        var answer = Fault.Answer(status: status)
        if let seconds = json["retryAfterSeconds"].intValue { answer.retryAfter = .seconds(seconds) }
        if let seconds = json["retryAfterDateInSeconds"].intValue { answer.retryAfter = .date(inSeconds: seconds) }
        let body = json["body"].stringValue ?? "json"
        guard let body = Fault.Answer.Body(rawValue: body) else {
            throw Malformed(description: "expected \"body\" to be json, html or empty, got \"\(body)\"")
        }
        answer.body = body
        return answer
    }
}
