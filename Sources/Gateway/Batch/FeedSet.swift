package import ANPRModel
import Archive
package import FeedDecoding
import Foundation

/// The finite feeds of one run of `ingest`: which configured feed each file is, and from where on it is new.
package struct FeedSet {
    /// A file to read.
    package struct Entry: Sendable {
        /// What it is called.
        package var name: String
        /// The file.
        package var path: String
        /// Its number in the node.
        package var index: FeedIndex
        /// Whether the configuration names it; if not, it may speak for all forces of the node.
        package var isConfigured: Bool
    }

    /// The files in order.
    package private(set) var entries: [Entry] = []
    private let node: NodeCore
    private let format: FeedFormat?

    /// Names the files of a run.
    ///
    /// - Parameters:
    ///   - paths: files as given, each also as `NAME=FILE`; none for all configured ones.
    ///   - format: for files whose extension tells none.
    package init(_ paths: [String], format: FeedFormat?, node: NodeCore) throws {
        self.node = node
        self.format = format
        let configured = node.configuration.feeds
        let chosen =
            paths.isEmpty
            ? configured.compactMap { feed in feed.path.map { (feed.name, $0) } }
            : paths.map(Self.split)
        for (name, path) in chosen {
            guard !entries.contains(where: { $0.name == name }) else {
                throw FeedFile.Failure(description: "\(path): feed \(name) is given twice", isTotal: true)
            }
            entries.append(
                Entry(
                    name: name,
                    path: path,
                    index: try node.source("feed", name),
                    isConfigured: configured.contains { $0.name == name }
                )
            )
        }
    }

    private static func split(_ path: String) -> (String, String) {
        guard let equals = path.firstIndex(of: "="), !path[..<equals].contains("/") else {
            return (FeedFileName(path).stem, path)
        }
        return (String(path[..<equals]), String(path[path.index(after: equals)...]))
    }

    /// Opens the files, each behind what an earlier run took of the same bytes.
    package func open(now: Timestamp) throws -> [FeedFile] {
        try entries.map { entry in
            let file = try open(entry, now: now)
            guard let known = node.state.progress[entry.index], known.length > 0, entry.path != "-" else {
                return file
            }
            let position = FeedPosition(line: known.line, offset: known.offset)
            if try file.resume(at: position, length: known.length, hash: known.hash) { return file }
            // Other bytes under a known name: a new file, read from its start.
            return try open(entry, now: now)
        }
    }

    private func open(_ entry: Entry, now: Timestamp) throws -> FeedFile {
        let feed = node.configuration.feeds.first { $0.name == entry.name }
        let latest = Timestamp(milliseconds: now.milliseconds + node.configuration.futureSkew)
        // A file that the configuration does not name may speak for all forces of the node.
        var all = NodeConfiguration.Feed(name: entry.name, forces: Set(node.configuration.forces.map(\.code)))
        all.images = node.configuration.images
        let rules = (feed ?? all).rules(latest: latest)
        return try FeedFile(
            path: entry.path,
            name: entry.name,
            format: feed?.format ?? format,
            register: node.cameras,
            rules: rules,
            isFingerprinted: true
        )
    }
}

extension LocalTimeZone {
    /// The zone of that name, as a table of its changes from 1970 to 2070.
    package static func named(_ name: String) -> LocalTimeZone? {
        guard let zone = TimeZone(identifier: name) else { return nil }
        var date = Date(timeIntervalSince1970: 0)
        let end = Date(timeIntervalSince1970: 100 * 365.25 * 86_400)
        var changes = [Change(from: .distantPast, offset: Int64(zone.secondsFromGMT(for: date)) * 1000)]
        while let next = zone.nextDaylightSavingTimeTransition(after: date), next < end {
            let moment = Timestamp(milliseconds: Int64(next.timeIntervalSince1970 * 1000))
            changes.append(Change(from: moment, offset: Int64(zone.secondsFromGMT(for: next)) * 1000))
            date = next
        }
        return LocalTimeZone(changes)
    }
}
