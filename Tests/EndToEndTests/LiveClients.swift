import Foundation
import TestSupport

/// Brings a feed to a daemon that may be gone at any moment, until all of it is acknowledged.
protocol LiveClient {
    /// Does a little.
    ///
    /// - Throws: `PlainSocket.Broken` when the daemon is not there, and it may be tried again.
    mutating func step(_ ports: LivePorts) throws -> LiveStep
}

/// What came of a client's step.
enum LiveStep {
    /// Something was acknowledged.
    case forward
    /// Nothing was, yet.
    case waiting
    /// All is acknowledged.
    case done
}

/// An answer that no post should get.
struct UnexpectedAnswer: Error {
    var status: Int
    var body: String
}

extension LivePorts {
    /// Connects to a port while the daemon is there.
    func connect(_ name: String) throws -> PlainSocket {
        guard let port = self[name] else { throw PlainSocket.Broken(action: "find the port") }
        return try PlainSocket(port: port)
    }
}

/// Posts pieces of a feed one after the other, each again until it is acknowledged.
struct Poster: LiveClient {
    private let feed: String
    private var pieces: [[UInt8]]
    private var socket: PlainSocket?

    init(_ feed: String, _ bytes: [UInt8], lines: Int) {
        self.feed = feed
        let all = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        pieces = stride(from: 0, to: all.count, by: lines).map { start in
            Array(all[start..<min(start + lines, all.count)].joined(separator: [0x0A])) + [0x0A]
        }
        pieces.reverse()
    }

    /// How many posts are still to be acknowledged.
    var left: Int { pieces.count }

    mutating func step(_ ports: LivePorts) throws -> LiveStep {
        guard let piece = pieces.last else { return .done }
        do {
            let socket = try self.socket ?? ports.connect("http")
            self.socket = socket
            let answer = try socket.request(
                "POST",
                "/v1/feeds/\(feed)",
                headers: ["Authorization": "Bearer \(LiveNode.token)"],
                body: piece
            )
            if answer.status == 503 { return .waiting }
            guard answer.status == 200 else {
                throw UnexpectedAnswer(status: answer.status, body: answer.body)
            }
            pieces.removeLast()
        } catch {
            socket = nil
            throw error
        }
        return pieces.isEmpty ? .done : .forward
    }
}

/// Streams a feed over TCP and goes on behind what was acknowledged.
struct Streamer: LiveClient {
    private let feed: String
    private let bytes: [UInt8]
    private var safe = 0
    private var sent = 0
    private var base = 0
    private var socket: PlainSocket?

    init(_ feed: String, _ bytes: [UInt8]) {
        self.feed = feed
        self.bytes = bytes
    }

    mutating func step(_ ports: LivePorts) throws -> LiveStep {
        guard safe < bytes.count else { return .done }
        do {
            let socket = try self.socket ?? ports.connect(feed)
            if self.socket == nil { (base, sent) = (safe, safe) }
            self.socket = socket
            if sent < bytes.count {
                let end = min(sent + 3000, bytes.count)
                try socket.send(Array(bytes[sent..<end]))
                sent = end
                if sent == bytes.count { socket.endSending() }
            }
            guard let line = try socket.line(), let count = Int(line) else {
                throw PlainSocket.Broken(action: "read an acknowledgement")
            }
            safe = base + count
        } catch {
            socket = nil
            throw error
        }
        return .forward
    }
}

/// Puts pieces of a feed into a folder as files of their own.
struct Dropper: LiveClient {
    private let folder: String
    private var pieces: [(name: String, bytes: [UInt8])]
    private var waiting: String?

    init(_ folder: String, _ bytes: [UInt8], pieces count: Int) {
        self.folder = folder
        let lines = bytes.split(separator: 0x0A)
        let size = lines.count / count + 1
        pieces = stride(from: 0, to: lines.count, by: size).enumerated().map { place, start in
            let part = lines[start..<min(start + size, lines.count)].joined(separator: [0x0A])
            return ("piece-\(100 + place).ndjson", Array(part) + [0x0A])
        }
        pieces.reverse()
    }

    mutating func step(_ ports: LivePorts) throws -> LiveStep {
        if let name = waiting {
            guard FileManager.default.fileExists(atPath: "\(folder)/done/\(name)") else { return .waiting }
            waiting = nil
            return pieces.isEmpty ? .done : .forward
        }
        // One at a time: a feed's files are in order.
        guard let piece = pieces.popLast() else { return .done }
        let path = "\(folder)/.\(piece.name)"
        try Data(piece.bytes).write(to: URL(fileURLWithPath: path))
        try FileManager.default.moveItem(atPath: path, toPath: "\(folder)/\(piece.name)")
        waiting = piece.name
        return .waiting
    }
}
