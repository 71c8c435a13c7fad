import Archive
import FeedDecoding
import Foundation
import Logging
import ServiceLifecycle

/// A folder that feed files are put into: each whole file is taken in once, then moved away.
///
/// A file counts as whole when its size and time have stayed the same for a while; names that begin with a dot or end in
/// `.tmp`, `.part` or `.filepart` are left alone until they are renamed. After a crash the file that was in work is
/// recognised by its bytes and taken up where it was safe. Cameras put the mark into the names of their files, so no name
/// goes into a log.
struct DropFolder: Service {
    let intake: FeedIntake
    let path: String
    let rules: NodeConfiguration.DropFolderRules
    let logger: Logger

    private static let interval = Duration.milliseconds(250)
    private static let unfinished = [".tmp", ".part", ".filepart"]

    /// What a file looked like when it was last seen to change.
    private struct Look: Equatable {
        var size: UInt64
        var modified: Date
        var since: ContinuousClock.Instant
    }

    func run() async throws {
        for folder in [path, rules.done, rules.rejected] { try DataFolder.make(folder) }
        do {
            try await cancelWhenGracefulShutdown { try await watch() }
        } catch is CancellationError {}
    }

    private func watch() async throws {
        var looks: [String: Look] = [:]
        while !Task.isCancelled {
            for name in whole(&looks) { try await take(name) }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// The names of files that have settled, oldest first.
    private func whole(_ looks: inout [String: Look]) -> [String] {
        let now = ContinuousClock.now
        var settled: [(Date, String)] = []
        var seen: [String: Look] = [:]
        for name in DataFolder.names(in: path)
        where !name.hasPrefix(".") && !Self.unfinished.contains(where: name.hasSuffix) {
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)"),
                attributes[.type] as? FileAttributeType == .typeRegular
            else { continue }
            var look = Look(
                size: (attributes[.size] as? NSNumber)?.uint64Value ?? 0,
                modified: attributes[.modificationDate] as? Date ?? .distantPast,
                since: now
            )
            if let old = looks[name], old.size == look.size, old.modified == look.modified {
                look.since = old.since
            }
            seen[name] = look
            if now - look.since >= .milliseconds(rules.settle) { settled.append((look.modified, name)) }
        }
        looks = seen
        return settled.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1)
    }

    private func take(_ name: String) async throws {
        let file = "\(path)/\(name)"
        do {
            try await DroppedFile(file, intake).takeIn()
            try move(name, to: rules.done)
            logger.info("file taken in", metadata: ["feed": "\(intake.feed.name)"])
        } catch let failure as FeedFile.Failure {
            // What could be read of it is in; the file is kept for a person to look at.
            logger.warning(
                "file rejected",
                metadata: [
                    "feed": "\(intake.feed.name)", "why": "\(nameless(failure, name))",
                    "kept": "\(rules.rejected)",
                ]
            )
            try move(name, to: rules.rejected)
        } catch let error as StorageError where error.code == .full {
            logger.warning("file held back", metadata: ["feed": "\(intake.feed.name)", "why": "\(error)"])
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Moves a file; one of the same name that is there already is never replaced.
    private func move(_ name: String, to folder: String) throws {
        var target = "\(folder)/\(name)"
        var number = 1
        while DataFolder.exists(target) {
            number += 1
            target = "\(folder)/\(name).\(number)"
        }
        do {
            try DataFolder.rename("\(path)/\(name)", to: target)
        } catch {
            throw StorageError(
                error.code,
                "\(path): a file can't be moved to \(folder): \(nameless(error, name))"
            )
        }
    }

    /// An error's words with the file's name left out.
    private func nameless(_ error: some CustomStringConvertible, _ name: String) -> String {
        error.description.replacing(name, with: "(file)")
    }
}

/// One file of a drop folder on its way in.
struct DroppedFile {
    private let path: String
    private let intake: FeedIntake

    private static let chunkSize = 1 << 18

    init(_ path: String, _ intake: FeedIntake) {
        self.path = path
        self.intake = intake
    }

    /// Takes the file in, behind what was taken of the same bytes before.
    func takeIn() async throws {
        let file = try await open()
        var batch = DecodedBatch()
        var failure: FeedFile.Failure?
        while !file.isFinished, failure == nil {
            batch.removeAll()
            do throws(FeedFile.Failure) {
                _ = try file.decodeChunk(Self.chunkSize, into: &batch)
            } catch { failure = error }
            let content = file.content
            let position = file.position
            let progress = FeedProgress(
                line: position.line,
                offset: position.offset,
                length: content.length,
                hash: content.hash
            )
            try await intake.accept(batch, at: progress)
        }
        if let failure { throw failure }
    }

    private func open() async throws -> FeedFile {
        let file = try await fresh()
        guard let known = await intake.progress(), known.length > 0 else { return file }
        let position = FeedPosition(line: known.line, offset: known.offset)
        if try file.resume(at: position, length: known.length, hash: known.hash) { return file }
        return try await fresh()
    }

    private func fresh() async throws -> FeedFile {
        try FeedFile(
            path: path,
            name: intake.feed.name,
            format: intake.feed.format,
            register: await intake.register(),
            rules: intake.feed.rules(latest: intake.latest),
            isFingerprinted: true
        )
    }
}
