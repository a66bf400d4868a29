import Testing

@testable import Pitchly

@Suite("The outline of a document")
struct DocumentOutlineTests {
    @Test("has the variables and which of them are needed")
    func variables() throws {
        let outline = try DocumentOutline(
            """
            # { a comment }
            query rows($a: ID!, $b: [Int!], $c: [Int]! = [1, 2] @x(y: "$z: ID!)"), $d: Filter = {e: 5}) @live {
              data(a: $a, text: \"\"\"a "block" { \\\""" string\"\"\", n: -1.5e+3) { ...part }
            }
            fragment part on Row { id }
            """
        )
        #expect(outline.kind == "query")
        #expect(
            outline.variables == [
                .init(name: "a", isNeeded: true), .init(name: "b", isNeeded: false),
                .init(name: "c", isNeeded: false), .init(name: "d", isNeeded: false),
            ]
        )
    }

    @Test("is found without a name, without variables and without a keyword")
    func short() throws {
        #expect(try DocumentOutline("{ a }").variables.isEmpty)
        #expect(try DocumentOutline("mutation { a }").kind == "mutation")
        #expect(try DocumentOutline("query ($a: ID!) { a }").variables == [.init(name: "a", isNeeded: true)])
    }

    @Test(
        "is refused for a text that no server would take",
        arguments: [
            ("", "one operation"), ("query a { b } query c { d }", "one operation"),
            ("fragment a on B { c }", "one operation"), ("query { a(b: [1) }", "brackets that match"),
            ("query { a", "brackets that match"), ("query { a }}", "brackets that match"),
            ("query { a(b: \"c) }", "the end of a string"), ("query { a; }", "GraphQL"),
        ]
    )
    func refused(text: String, expected: String) {
        let problem = #expect(throws: DocumentOutline.Problem.self) { try DocumentOutline(text) }
        #expect(problem?.expected == expected)
    }
}
