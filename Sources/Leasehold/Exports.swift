// One import is enough to write a job kind: the names of tenants, kinds and errors, jobs and their
// outcomes, and what a handler is given are part of this product's interface.
@_exported public import JobQueue
@_exported public import LeaseholdCore
@_exported public import WorkerRuntime
