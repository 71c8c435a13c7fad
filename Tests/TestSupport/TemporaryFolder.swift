import Foundation

/// A folder of a test's own, gone when the test is.
public final class TemporaryFolder: Sendable {
    /// Where it is.
    public let path: String

    /// Makes a folder.
    public init() throws {
        path = NSTemporaryDirectory() + "anpr-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
