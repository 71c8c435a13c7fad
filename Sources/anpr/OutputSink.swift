import Archive

/// Where a command's data goes: standard output, or a file that appears whole.
final class OutputSink {
    private let path: String?
    private let file: DataFile?
    private var length = 0

    /// - Parameter path: a file; `-` or none for standard output.
    init(_ path: String?) throws {
        self.path = path == "-" ? nil : path
        file = try self.path.map { try DataFile($0 + ".partial", .replace) }
    }

    /// Writes bytes.
    func write(_ bytes: [UInt8]) throws {
        guard let file else { return try Console.output(bytes) }
        try file.write(bytes, at: length)
        length += bytes.count
    }

    /// Gives the file its name, once all is on stable storage.
    func finish() throws {
        guard let file, let path else { return }
        try file.sync()
        try DataFolder.rename(file.path, to: path)
    }

    deinit {
        // What has its name is no longer there under the other.
        if let file { try? DataFolder.remove(file.path) }
    }
}
