import Glibc

/// Waits for something that another process does.
public enum Patience {
    /// Why a wait was given up: a test that would wait for ever fails instead.
    public struct Lost: Error {
        /// What was waited for.
        public let what: String
    }

    /// Looks again and again until there is something to see.
    ///
    /// - Parameters:
    ///   - what: what is waited for, for the failure.
    ///   - look: gives what was seen, or `nil`.
    public static func wait<Value>(for what: String, _ look: () throws -> Value?) throws -> Value {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        while clock.now < deadline {
            if let value = try look() { return value }
            // Others need the processor for what is waited for.
            usleep(500)
        }
        throw Lost(what: what)
    }
}
