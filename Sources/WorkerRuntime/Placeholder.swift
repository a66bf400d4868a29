package let placeholderWorkerRuntime = 0
