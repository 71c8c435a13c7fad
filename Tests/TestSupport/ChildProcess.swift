public import Glibc

/// A process of its own, started and waited for without a run loop.
///
/// Foundation's `Process` learns of an end by a run loop and a descriptor that children started at the same moment may
/// inherit, so that among many tests at once it sometimes never learns of it. This one asks the kernel.
///
/// The child has its three streams and no other descriptor. Sockets of servers in this process are open for children,
/// and so are files that Foundation opens: a child that kept one would keep the other end waiting, or the room of a
/// file that is gone, for a test that knows nothing of it.
public final class ChildProcess {
    /// Why a process could not be started.
    public struct StartFailure: Error {
        /// The system's number for it.
        public let code: Int32
    }

    /// Its number.
    public let identifier: pid_t
    /// The status it ended with, once it was waited for; 128 and more for a signal, as shells count.
    public private(set) var status: Int32?

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: the executable.
    ///   - arguments: after its name.
    ///   - output: a file to append standard output to; nothing where it is absent.
    ///   - errors: a file to append standard error to.
    ///   - input: a file to read as standard input.
    ///   - environment: variables beside those of this process.
    public init(
        _ path: String,
        _ arguments: [String],
        output: String? = nil,
        errors: String? = nil,
        input: String? = nil,
        environment: [String: String] = [:]
    )
        throws
    {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, input ?? "/dev/null", O_RDONLY, 0)
        for (descriptor, file) in [(Int32(1), output), (2, errors)] {
            let flags = O_WRONLY | O_CREAT | O_APPEND
            unsafe posix_spawn_file_actions_addopen(&actions, descriptor, file ?? "/dev/null", flags, 0o644)
        }
        for descriptor in 3..<Self.descriptors {
            unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var texts: [UnsafeMutablePointer<CChar>?] =
            unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe texts.forEach { unsafe free($0) } }
        var variables: [UnsafeMutablePointer<CChar>?] =
            unsafe environment.map { unsafe strdup("\($0)=\($1)") } + Self.inherited + [nil]
        defer { unsafe variables.prefix(environment.count).forEach { unsafe free($0) } }
        var child: pid_t = 0
        let code = unsafe posix_spawn(&child, path, &actions, nil, &texts, &variables)
        guard code == 0 else { throw StartFailure(code: code) }
        identifier = child
    }

    /// One more than the highest descriptor that this process can be thought to have open, as the lowest is given first.
    ///
    /// To close what is not open does no harm.
    private static let descriptors = Int32(min(sysconf(Int32(_SC_OPEN_MAX)), 4_096))

    /// The variables of this process.
    private static var inherited: [UnsafeMutablePointer<CChar>?] {
        var all: [UnsafeMutablePointer<CChar>?] = unsafe []
        var place = 0
        while let variable = unsafe environ[place] {
            unsafe all.append(variable)
            place += 1
        }
        return unsafe all
    }

    deinit {
        guard status == nil else { return }
        Glibc.kill(identifier, SIGKILL)
        wait()
    }

    /// Whether it has not ended.
    public var isRunning: Bool {
        if status == nil { collect(WNOHANG) }
        return status == nil
    }

    /// Sends a signal.
    public func signal(_ number: Int32) {
        if isRunning { Glibc.kill(identifier, number) }
    }

    /// Waits for its end.
    ///
    /// - Returns: its status.
    @discardableResult
    public func wait() -> Int32 {
        while status == nil { collect(0) }
        return status ?? -1
    }

    private func collect(_ options: Int32) {
        var raw: Int32 = 0
        guard unsafe waitpid(identifier, &raw, options) == identifier else { return }
        status = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + raw & 0x7F
    }
}
