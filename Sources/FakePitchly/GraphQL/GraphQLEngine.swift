import Synchronization

/// A request as it comes over HTTP.
struct GraphQLRequest: Sendable {
    let query: String
    let operationName: String?
    let variables: JSONObject

    /// Nil where the body is not one request object; batches are not supported, as on most servers.
    init?(_ body: JSONValue) {
        guard let query = body["query"].stringValue else { return nil }
        let variables = body["variables"]
        guard variables.isNull || variables.objectValue != nil else { return nil }
        self.query = query
        self.variables = variables.objectValue ?? JSONObject()
        operationName = body["operationName"].stringValue
    }
}

/// A request that passed every check and can run.
struct PreparedOperation: Sendable {
    let kind: GraphQLDocument.Operation.Kind
    let name: String?
    let roots: [PlannedField]

    /// Answered without the data behind the schema.
    var isIntrospection: Bool {
        roots.allSatisfy { ["__schema", "__type", "__typename"].contains($0.name) }
    }
}

/// Parses, validates and plans requests against one schema. Verdicts are kept per document text,
/// because a client sends the same few documents over and over.
final class GraphQLEngine: Sendable {
    let schema: GraphQLSchema
    private let verdicts = Mutex<[String: Result<GraphQLDocument, GraphQLRefusal>]>([:])

    private static let keptVerdicts = 500

    init(sdl: String) throws(GraphQLError) {
        schema = try GraphQLParser.parseSchema(sdl)
    }

    func prepare(_ request: GraphQLRequest) throws(GraphQLRefusal) -> PreparedOperation {
        let document = try verdict(on: request.query).get()
        let operation = try selectOperation(request.operationName, in: document)
        let variables = try GraphQLInputs.variables(of: operation, given: request.variables, schema: schema)
        guard let root = schema.root(of: operation.kind) else {
            throw GraphQLRefusal(errors: [GraphQLError("Schema is not configured for \(operation.kind)s.")])
        }
        let planner = GraphQLPlanner(schema: schema, document: document, variables: variables)
        do {
            let roots = try planner.plan([operation.selections], on: root)
            return PreparedOperation(kind: operation.kind, name: operation.name, roots: roots)
        } catch {
            throw GraphQLRefusal(errors: [error])
        }
    }

    private func verdict(on query: String) -> Result<GraphQLDocument, GraphQLRefusal> {
        if let known = verdicts.withLock({ $0[query] }) { return known }
        let fresh = judge(query)
        verdicts.withLock { verdicts in
            if verdicts.count >= Self.keptVerdicts { verdicts.removeAll() }
            verdicts[query] = fresh
        }
        return fresh
    }

    private func judge(_ query: String) -> Result<GraphQLDocument, GraphQLRefusal> {
        do throws(GraphQLError) {
            let document = try GraphQLParser.parseRequest(query)
            do throws(GraphQLRefusal) {
                try GraphQLValidator.validate(document, against: schema)
                return .success(document)
            } catch {
                return .failure(error)
            }
        } catch {
            return .failure(GraphQLRefusal(errors: [error]))
        }
    }

    private func selectOperation(
        _ name: String?,
        in document: GraphQLDocument
    ) throws(GraphQLRefusal) -> GraphQLDocument.Operation {
        let fail = { (message: String) in
            GraphQLRefusal(errors: [GraphQLError(message, code: "OPERATION_RESOLUTION_FAILURE")])
        }
        if let name {
            guard let operation = document.operations.first(where: { $0.name == name }) else {
                throw fail("Unknown operation named \"\(name)\".")
            }
            return operation
        }
        guard let only = document.operations.first else { throw fail("Must provide an operation.") }
        guard document.operations.count == 1 else {
            throw fail("Must provide operation name if query contains multiple operations.")
        }
        return only
    }
}
