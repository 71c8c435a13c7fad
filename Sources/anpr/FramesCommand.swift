import ANPRModel
import Access
import Archive
import ArgumentParser
import SightingFrames

/// `anpr frames`: any frame or segment file as NDJSON.
struct FramesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frames",
        abstract: "Write the sightings of a log or segment file as NDJSON.",
        discussion: """
            Shows marks, so who asks and why is logged first: in the audit log of the node whose data folder the file lies \
            in; for a file carried elsewhere, in the folder that --audit names.
            """
    )

    @Argument(help: "A .sightings or .segment file.")
    var file: String

    @OptionGroup var why: ReasonOptions

    @Option(help: "The folder of the audit log, for a file outside a data folder, and only for one.")
    var audit: String?

    func run() throws {
        let data = DataFolder.containing(file)
        let request = try request(data)
        try request.demandReason()
        let found = try CommandInput.refusing(file) { try FrameFile.read(file, data: data) }
        // Logged and on disk first: if this fails, nothing is shown.
        try request.note(found.batch.count)
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

    /// The request, which goes on record where the file belongs: nobody chooses another log for what a node has.
    private func request(_ data: String?) throws -> LoggedRequest {
        let asked = ["file": file]
        switch (data, audit) {
        case (let data?, nil): return LoggedRequest(data: data, action: .search, why: why, request: asked)
        case (let data?, _?):
            throw ValidationError(
                "\(file) lies in the data folder \(data), which has its own log: leave --audit out."
            )
        case (nil, let folder?):
            return LoggedRequest(
                data: folder,
                action: .search,
                why: why,
                request: asked,
                log: AuditLog(folder)
            )
        case (nil, nil):
            throw ValidationError(
                "\(file) lies in no data folder: say with --audit where to log that it is read."
            )
        }
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
