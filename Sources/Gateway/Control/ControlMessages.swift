import Foundation

/// What somebody asks of a running node, a line of JSON: one of these; more kinds may come.
package struct ControlRequest: Codable, Sendable {
    /// Quarantined records to be taken in after all.
    package var replay: QuarantineReplay.Selection?
    /// An image to be brought from a gateway.
    package var image: ImageRequest?

    /// A request to replay.
    package init(replay: QuarantineReplay.Selection) { self.replay = replay }

    /// A request for an image.
    package init(image: ImageRequest) { self.image = image }
}

/// What a running node answers, a line of JSON: one of these.
package struct ControlAnswer: Codable, Sendable {
    /// What was replayed.
    package var report: QuarantineReplay.Report?
    /// Whether an image that was asked for is in the store now.
    package var isStored: Bool?
    /// Why no gateway gives the image that was asked for.
    package var missing: String?
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
