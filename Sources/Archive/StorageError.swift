import Glibc

/// Why something on disk could not be read or written.
public struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of trouble.
    public enum Code: Sendable {
        /// The operating system refused.
        case system
        /// There is no room: nothing was changed, and the same may work later.
        case full
        /// A file is not what it should be.
        case damaged
        /// Another process has the data folder.
        case locked
        /// The data folder is of another node or version.
        case mismatch
        /// It was encrypted, and its key was destroyed.
        case destroyed
    }

    /// What kind of trouble it is.
    public var code: Code
    /// The file, the place in it where that is known, and what is wrong.
    public var description: String

    /// An error.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// The error that the last system call left.
    static func system(_ action: String, _ path: String) -> StorageError {
        let number = errno
        let isFull = number == ENOSPC || number == EDQUOT
        return StorageError(
            isFull ? .full : .system,
            "\(path): \(action): \(unsafe String(cString: strerror(number)))"
        )
    }
}
