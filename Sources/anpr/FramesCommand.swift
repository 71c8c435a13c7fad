import ANPRModel
import Access
import Archive
import ArgumentParser
import Foundation
import SightingFrames

/// `anpr frames`: any frame or segment file as NDJSON.
struct FramesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frames",
        abstract: "Write the sightings of a log or segment file as NDJSON.",
        discussion: """
            Shows marks, so it is logged first, in the audit log of the node whose data folder the file lies in; for a \
            file carried elsewhere, in the folder that --audit names.
            """
    )

    @Argument(help: "A .sightings or .segment file.")
    var file: String

    @Option(help: "Why: a sentence that will be read by an auditor.")
    var reason: String = "none given"

    @Option(help: "The folder of the audit log, for a file outside a data folder.")
    var audit: String?

    func run() throws {
        let data = dataFolder
        let found = try CommandInput.refusing(file) { try FrameFile.read(file, data: data) }
        if let folder = audit ?? data.map({ "\($0)/audit" }) {
            try AuditLog(folder).append(
                AuditRecord(
                    at: TimestampWriter.text(Operator.now),
                    actor: Operator.name,
                    action: .search,
                    reason: reason,
                    request: ["file": file],
                    count: found.batch.count
                )
            )
        }
        var writer = SightingNDJSON(register: found.register)
        var text = ByteWriter()
        for index in 0..<found.batch.count {
            writer.append(index, of: found.batch, to: &text)
            if text.count > 60_000 { try unsafe text.drain(Console.writeOutput) }
        }
        try unsafe text.drain(Console.writeOutput)
        if let fault = found.fault {
            Console.note("\(file): \(fault)")
            throw ExitCode.failure
        }
    }

    /// The data folder that the file lies in, however deep.
    private var dataFolder: String? {
        var folder = URL(fileURLWithPath: file).resolvingSymlinksInPath().path
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            if DataFolder.exists("\(folder)/catalogue.sqlite") { return folder }
        }
        return nil
    }
}

/// The sightings of a file of blocks.
struct FrameFile {
    var batch = SightingBatch()
    var register = CameraRegister()
    /// Where the file broke off, if it did.
    var fault: String?

    /// Reads a segment whole, and blocks as far as they are right.
    ///
    /// - Parameter data: the data folder that has the keys of the file, if it lies in one.
    static func read(_ path: String, data: String?) throws -> FrameFile {
        if let segment = try SegmentContents(path) {
            return FrameFile(batch: segment.batch, register: segment.register)
        }
        let keys = try data.map { try KeyRing(data: $0) }
        return try read(try SealedFile(path, .read, keys).contents())
    }

    private static func read(_ bytes: [UInt8]) throws -> FrameFile {
        var file = FrameFile()
        var decoder = FrameDecoder(register: file.register)
        var position = 0
        while position < bytes.count {
            let start = position
            do {
                let block = try Block.read(bytes, at: &position)
                switch block.kind {
                case .register:
                    file.register.restore(try RegisterBlock.decode(block))
                    decoder = FrameDecoder(register: file.register)
                case .frame: try decoder.decode(block, into: &file.batch)
                case .mark: continue
                }
            } catch {
                file.fault = "block at byte \(start): \(error)"
                guard start > 0 else { throw error }
                return file
            }
        }
        return file
    }
}
