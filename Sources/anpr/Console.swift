import Glibc

/// Standard output and standard error, unbuffered, whole writes only.
enum Console {
    /// Writes all bytes to standard output.
    ///
    /// A reader that went away (`| head`) ends the program quietly, as it does any filter.
    static func writeOutput(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = unsafe bytes
        while rest.count > 0 {
            let count = unsafe write(STDOUT_FILENO, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE { exit(0) }
                throw ConsoleError(text: "standard output: \(unsafe String(cString: strerror(errno)))")
            }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Writes text to standard output.
    static func output(_ text: String) throws {
        var text = text
        try text.withUTF8 { try unsafe writeOutput(UnsafeRawBufferPointer($0)) }
    }

    /// Writes bytes to standard output.
    static func output(_ bytes: [UInt8]) throws {
        try unsafe bytes.withUnsafeBytes { try unsafe writeOutput($0) }
    }

    /// Writes a line to standard error.
    static func note(_ line: String) {
        var text = line + "\n"
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while rest.count > 0 {
                let count = unsafe write(STDERR_FILENO, rest.baseAddress, rest.count)
                guard count > 0 else { return }
                unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    /// Replaces the progress line on standard error.
    static func progress(_ line: String) {
        var text = "\r\u{1B}[K" + line
        text.withUTF8 { bytes in _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }

    /// Whether standard error is a terminal, so that a progress line makes sense.
    static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

    /// Whether standard output is a terminal, for which bytes that are no text are nothing.
    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Reads a whole file.
    static func contents(of path: String) throws -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ConsoleError(text: "\(path): \(unsafe String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress, $0.count)
            }
            guard count >= 0 else {
                throw ConsoleError(text: "\(path): \(unsafe String(cString: strerror(errno)))")
            }
            if count == 0 { return bytes }
            bytes += piece[0..<count]
        }
    }
}

/// An error to be shown as it is.
struct ConsoleError: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}
