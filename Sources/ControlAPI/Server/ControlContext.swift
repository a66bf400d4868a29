import Hummingbird
import Logging
import NIOCore

/// What goes along with one request.
struct ControlContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// Whose request it is: the other end of the connection, until ``Envelope`` has looked behind our proxies.
    var remoteAddress: String

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress?.ipAddress ?? "local"
    }
}
