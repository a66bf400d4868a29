/// What the two generations of the API do differently.
protocol GraphQLDialect: Sendable {
    var endpoint: FaultRule.Endpoint { get }
    var engine: GraphQLEngine { get }

    /// Who is asking; nil where that is not known, which ``admits(_:)`` then judges.
    func caller(of request: FakeRequest, _ operation: PreparedOperation?) -> APICaller?
    /// Whether the operation may run although nobody is known to ask.
    func admitsAnonymous(_ operation: PreparedOperation?) -> Bool
    /// Ids of the tables (v2: databases) that a root field speaks about, with their prefix.
    func table(of root: PlannedField) -> String?
    func render(_ error: GraphQLError, document: String) -> JSONValue
    func resolve(_ call: APICall, _ writer: inout JSONWriter) throws(GraphQLError)
    var unauthenticated: GraphQLError { get }
}

/// An organisation's user, or an app acting for it.
struct APICaller: Sendable {
    let organization: String
    let scopes: [String]
    /// Nil where the app's secret was used.
    let accessToken: String?
}

/// One root field of one request.
struct APICall {
    let field: PlannedField
    let caller: APICaller?
    let faults: [Fault.GraphQLFault]

    func has(_ fault: Fault.GraphQLFault) -> Bool { faults.contains(fault) }
}

/// Who may ask for the schema.
package enum IntrospectionAccess: String, Sendable, CaseIterable {
    case open
    case authenticated
    case disabled
}

/// `POST /graphql` and `POST /v2/graphql`: the parts that are alike. The status is 200 whatever
/// happens to the query, as Pitchly's documents say.
struct GraphQLEndpoint: Sendable {
    let dialect: any GraphQLDialect
    let authority: TokenAuthority
    let faults: FaultPlan
    let limiter: RateLimiter?
    let latency: Duration
    let log: RequestLog
    let introspection: IntrospectionAccess

    func respond(to request: FakeRequest, entry: inout RequestLog.Entry) async throws -> FakeReply {
        guard request.method == "POST" else { return Self.badRequest("This endpoint takes POST.", status: 405) }
        guard let body = try? JSONParser.parse(request.body), let query = GraphQLRequest(body) else {
            return Self.badRequest("The body must be a JSON object with \"query\".", status: 400)
        }
        let prepared = Result { () throws(GraphQLRefusal) in try dialect.engine.prepare(query) }
        let operation = try? prepared.get()
        let caller = dialect.caller(of: request, operation)
        entry.organization = caller?.organization
        entry.operation = operation?.name
        entry.roots = operation?.roots.map(\.name) ?? []
        log.enter(&entry)
        if let limiter, let seconds = limiter.refuse(caller?.organization ?? "") {
            return .throttled(retryAfter: seconds, body: ["errors": [["message": "Too many requests."]], "data": nil])
        }
        let active = faults.faults(for: subject(caller, operation))
        entry.faults = active.names
        try await active.wait(.before)
        if let reply = active.answer(.before, now: authority.clock.now) { return reply }
        var reply = run(query, prepared, caller, active.graphQL)
        try await active.wait(.after)
        if latency > .zero { try await Task.sleep(for: latency) }
        if let answer = active.answer(.after, now: authority.clock.now) { return answer }
        if let delivery = active.delivery { reply.delivery = delivery }
        return reply
    }

    private func subject(_ caller: APICaller?, _ operation: PreparedOperation?) -> FaultPlan.Subject {
        let roots = operation?.roots ?? []
        return FaultPlan.Subject(
            endpoint: dialect.endpoint,
            organization: caller?.organization,
            operations: roots.map(\.name),
            tables: roots.compactMap(dialect.table),
            hasCursor: roots.contains { !$0.argument("after").isNull || $0.argument("skip").intValue ?? 0 > 0 }
        )
    }

    private func run(
        _ query: GraphQLRequest,
        _ prepared: Result<PreparedOperation, GraphQLRefusal>,
        _ caller: APICaller?,
        _ faults: [Fault.GraphQLFault]
    ) -> FakeReply {
        let render = { (error: GraphQLError) in dialect.render(error, document: query.query) }
        let refuse = { (errors: [GraphQLError]) in FakeReply.json(GraphQLAnswer.refused(errors, render: render)) }
        if invalidates(faults, caller) { return refuse([dialect.unauthenticated]) }
        guard caller != nil || dialect.admitsAnonymous(try? prepared.get()) else {
            return refuse([dialect.unauthenticated])
        }
        switch prepared {
        case .failure(let refusal): return refuse(refusal.errors)
        case .success(let operation):
            if introspection == .disabled,
                operation.roots.contains(where: { $0.name.hasPrefix("__schema") || $0.name == "__type" })
            {
                return refuse([GraphQLError("GraphQL introspection is not allowed.", code: "INTROSPECTION_DISABLED")])
            }
            let (codes, keepsData) = errors(faults)
            if !codes.isEmpty, !keepsData { return refuse(codes) }
            let bytes = GraphQLAnswer.run(
                operation,
                typeName: operation.kind == .mutation ? "Mutation" : "Query",
                also: codes,
                render: render
            ) { field, writer throws(GraphQLError) in
                try dialect.resolve(APICall(field: field, caller: caller, faults: faults), &writer)
            }
            return .json(faults.contains(.malformedJSON) ? Array(bytes.prefix(bytes.count * 3 / 4)) : bytes)
        }
    }

    /// An early end of the access token, which may last.
    private func invalidates(_ faults: [Fault.GraphQLFault], _ caller: APICaller?) -> Bool {
        for case .unauthenticated(let lasts) in faults {
            if lasts, let token = caller?.accessToken { authority.invalidate(accessToken: token) }
            return true
        }
        return false
    }

    private func errors(_ faults: [Fault.GraphQLFault]) -> ([GraphQLError], keepsData: Bool) {
        for case .errors(let codes, let keepsData) in faults {
            return (codes.map { GraphQLError("A fault of the fake.", code: $0) }, keepsData)
        }
        return ([], false)
    }

    private static func badRequest(_ message: String, status: Int) -> FakeReply {
        .json(
            ["errors": [["message": .string(message), "extensions": ["code": "BAD_REQUEST"]]], "data": nil],
            status: status
        )
    }
}
