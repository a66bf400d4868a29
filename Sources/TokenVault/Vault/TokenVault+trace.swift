import LeaseholdCore
import Tracing

extension TokenVault {
    /// Runs one POST in a span of its own, which names the tenant and what became of it, never a token.
    /// Without a tracer in the process, that is one look at whether there is one.
    func traced(
        _ order: ExchangeOrder,
        _ grant: TokenGrant,
        _ post: () async -> TokenEndpointReply
    ) async -> TokenEndpointReply {
        guard !(InstrumentationSystem.tracer is NoOpTracer) else { return await post() }
        return await withSpan("token exchange", ofKind: .client) { span in
            span.attributes["leasehold.tenant"] = order.tenant.rawValue
            span.attributes["leasehold.grant"] = grant.name
            span.attributes["leasehold.rung"] = order.rung.rawValue
            let reply = await post()
            switch reply {
            case .notSent:
                span.attributes["leasehold.outcome"] = "not_sent"
                span.setStatus(SpanStatus(code: .error))
            case .noReply:
                span.attributes["leasehold.outcome"] = "no_reply"
                span.setStatus(SpanStatus(code: .error))
            case .answered(let status, _, _, _, let complete):
                span.attributes["http.response.status_code"] = status
                span.attributes["leasehold.outcome"] = complete ? "answered" : "cut_off"
                if !complete || status >= 400 { span.setStatus(SpanStatus(code: .error)) }
            }
            return reply
        }
    }
}
