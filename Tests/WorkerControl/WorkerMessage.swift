/// What a worker says, one line each on its standard output.
package enum WorkerReport: Sendable, Equatable {
    /// It has opened everything and works.
    case ready
    /// A step is reached, and goes on when ``WorkerOrder/go(_:spoolFails:)`` comes.
    case reached(number: Int, point: String, tenant: String)
    /// It will not come up.
    case failed(String)

    package var line: String {
        switch self {
        case .ready: "ready"
        case .reached(let number, let point, let tenant): "at \(number) \(point) \(tenant)"
        case .failed(let reason): "failed \(reason)"
        }
    }

    package init?(line: String) {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        switch words.first {
        case "ready": self = .ready
        case "at":
            guard words.count == 4, let number = Int(words[1]) else { return nil }
            self = .reached(number: number, point: String(words[2]), tenant: String(words[3]))
        case "failed": self = .failed(words.dropFirst().joined(separator: " "))
        default: return nil
        }
    }
}

/// What a worker is told, one line each on its standard input. Its end is an order to die at once.
package enum WorkerOrder: Sendable, Equatable {
    /// - Parameter spoolFails: the next write to the spool finds the disk full.
    case go(_ number: Int, spoolFails: Bool = false)

    package var line: String {
        switch self {
        case .go(let number, false): "go \(number)"
        case .go(let number, true): "go \(number) full"
        }
    }

    package init?(line: String) {
        let words = line.split(separator: " ")
        guard words.count >= 2, words[0] == "go", let number = Int(words[1]) else { return nil }
        self = .go(number, spoolFails: words.count > 2)
    }
}
