public import LeaseholdCore

/// A kind that cannot be registered as asked.
public enum JobRegistryError: ExplainedError, Equatable {
    case duplicateKind(JobKind)
    case timeoutNotPositive(JobKind, got: Duration)
    case concurrencyNotPositive(JobKind, got: Int)
    case retryOutOfOrder(JobKind, RetryPolicy)

    public var label: String {
        switch self {
        case .duplicateKind: "kind_registered_twice"
        case .timeoutNotPositive: "kind_timeout_out_of_range"
        case .concurrencyNotPositive: "kind_concurrency_out_of_range"
        case .retryOutOfOrder: "kind_retry_out_of_range"
        }
    }

    public var message: String {
        switch self {
        case .duplicateKind(let kind):
            "expected one handler for the kind \(kind), got a second one"
        case .timeoutNotPositive(let kind, let got):
            "expected the timeout of the kind \(kind) to be above zero, got \(got)"
        case .concurrencyNotPositive(let kind, let got):
            "expected the concurrency of the kind \(kind) to be 1 or more, got \(got)"
        case .retryOutOfOrder(let kind, let policy):
            "expected the retry delays of the kind \(kind) to satisfy 0 <= shortest <= longest, "
                + "got \(policy.shortest) and \(policy.longest)"
        }
    }

    public var hint: String? {
        switch self {
        case .duplicateKind: "register the second handler under a kind of its own"
        case .timeoutNotPositive: "nil, which means no limit"
        case .concurrencyNotPositive: "nil, which means as many as the worker has slots"
        case .retryOutOfOrder: nil
        }
    }
}
