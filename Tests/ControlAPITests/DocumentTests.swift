import FakePitchly
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import ControlAPI

/// The OpenAPI document and the routes are one list.
@Suite struct DocumentTests {
    private func operations() throws -> [String: [String: Any]] {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(DocumentRoutes.text.utf8)) as? [String: Any]
        )
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        var operations: [String: [String: Any]] = [:]
        for (path, methods) in paths {
            for (method, operation) in methods {
                operations["\(method.uppercased()) \(path)"] = try #require(operation as? [String: Any])
            }
        }
        return operations
    }

    @Test func everyRouteIsInTheDocumentAndBack() async throws {
        try await withServer { world in
            let routes = ControlServer.routes(parts: world.parts(faces: [.api]), settings: ControlSettings())
            let listed = Set(routes.map { "\($0.method.rawValue) \($0.path)" })
            let documented = Set(try operations().keys)
            #expect(listed == documented)
        }
    }

    @Test func everyOperationSaysTheScopeThatItsRouteNeeds() async throws {
        try await withServer { world in
            let operations = try operations()
            for route in ControlServer.routes(parts: world.parts(faces: [.api]), settings: ControlSettings()) {
                let operation = try #require(operations["\(route.method.rawValue) \(route.path)"])
                let scope: String? = if case .key(let scope) = route.access { scope.rawValue } else { nil }
                #expect(operation["x-scope"] as? String == scope, "\(route.path)")
                let answers = try #require(operation["responses"] as? [String: Any])
                #expect((answers["401"] != nil) == (scope != nil), "\(route.path)")
                #expect(answers["500"] != nil && answers["503"] != nil, "\(route.path)")
            }
        }
    }

    @Test func theDocumentIsServed() async throws {
        try await withServer { world in
            let answer = try await world.send("GET", "/openapi.json")
            #expect(answer.status == 200)
            #expect(try answer.object()["openapi"] as? String == "3.1.0")
        }
    }
}
