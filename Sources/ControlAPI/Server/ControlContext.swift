import Hummingbird
import Logging
import NIOCore

/// What goes along with one request.
struct ControlContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The other end of the connection, for limits; a proxy's address behind a proxy.
    let remoteAddress: String

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress?.ipAddress ?? "local"
    }
}
