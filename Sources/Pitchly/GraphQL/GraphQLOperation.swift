import LeaseholdCore

/// One request to the GraphQL endpoint and how its answer is read.
package struct GraphQLOperation<Answer: Sendable>: Sendable {
    /// Without any variable part, for metrics, logs and errors: `records`.
    package let name: String
    /// Text of the document.
    let document: String
    let variables: JSONObjectText
    /// Consumes the `data` member of the answer, null included.
    let read: @Sendable (inout JSONScanner) throws(JSONScanner.Failure) -> Answer

    /// The body of the POST.
    ///
    /// - Parameter token: where the dialect carries it as a variable, that variable and the token.
    func body(token: (variable: String, text: String)?) -> String {
        var variables = variables
        if let token { variables.set(token.variable, token.text) }
        var body = JSONObjectText()
        body.set("query", document)
        body.set("variables", json: variables.text)
        return body.text
    }
}
