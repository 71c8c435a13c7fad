import Glibc

/// An error of the operating system.
package struct SystemError: Error, CustomStringConvertible {
    /// The error number.
    package let code: Int32
    /// What was tried, and on what.
    package var context: String = ""

    /// The error that the last system call left.
    package static var last: SystemError { SystemError(code: errno) }

    /// The error that the last system call left, with what was tried.
    package static func last(_ context: String) -> SystemError { SystemError(code: errno, context: context) }

    /// What the number means.
    package var text: String { unsafe String(cString: strerror(code)) }

    /// The error in words.
    package var description: String { context.isEmpty ? text : "\(context): \(text)" }
}
