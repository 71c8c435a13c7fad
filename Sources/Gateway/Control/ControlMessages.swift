import Foundation

/// What somebody asks of a running node, a line of JSON; more kinds may come.
package struct ControlRequest: Codable, Sendable {
    /// Quarantined records to be taken in after all.
    package var replay: QuarantineReplay.Selection

    /// A request.
    package init(replay: QuarantineReplay.Selection) { self.replay = replay }
}

/// What a running node answers, a line of JSON: one of the two.
package struct ControlAnswer: Codable, Sendable {
    /// What was done.
    package var report: QuarantineReplay.Report?
    /// Why it was not done, or not to its end.
    package var error: String?

    /// The longest line either side takes, in bytes.
    static let lineMax = 1 << 20

    /// The line, with its line feed.
    func line() throws -> [UInt8] { Array(try JSONEncoder().encode(self)) + [0x0A] }
}

/// Where a node listens for those who work on its machine.
///
/// A socket in the data folder, so that who may use it is who may use the folder. Its path can be longer than a socket's
/// address may be; the folder's own descriptor makes it short.
struct ControlSocket {
    /// The socket's name in the data folder.
    static let name = "control"

    /// The folder, open.
    private let folder: FileHandle

    /// Where the socket is, by the folder's descriptor.
    var path: String { "/proc/self/fd/\(folder.fileDescriptor)/\(Self.name)" }

    /// The socket of a data folder, which must be there.
    init(_ data: String) throws {
        folder = try FileHandle(forReadingFrom: URL(fileURLWithPath: data, isDirectory: true))
    }
}
