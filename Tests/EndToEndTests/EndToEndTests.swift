import Testing

/// The real executables in worlds of their own, one world at a time: a process inherits the pipes of
/// those that are started beside it, and who waits for a pipe to close would wait for the wrong one.
@Suite(.serialized) enum EndToEndTests {}
