import ANPRModel
import Access
import Archive
import ArgumentParser
import Foundation
import Gateway

/// `anpr image`: the images that came with reads.
struct ImageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "The images that came with reads, as the node keeps them.",
        subcommands: [List.self, Fetch.self]
    )

    /// What an image shows.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case plate, overview

        var kind: ImageKind { self == .plate ? .plate : .overview }
    }

    /// Which images, and why.
    struct Request: ParsableArguments {
        @Argument(help: "The mark, or a pattern: ? stands for one character and * for any number.")
        var vrm: String?

        @Option(help: "Only captured at or after this time (RFC 3339, or a date).")
        var from: MomentArgument?

        @Option(help: "Only captured at or before this time (RFC 3339, or a date).")
        var to: MomentArgument?

        @Option(help: "Only of the reads of this sighting, by its id; a time makes it quicker to find.")
        var sighting: String?

        @Option(help: "Only of this camera.")
        var camera: String?

        @Option(help: "Only of this force, by code.")
        var force: String?

        @Option(help: "Only these: plate or overview.")
        var kind: Kind?

        @Option(help: "Only the image whose id, as list gives it last, begins so.")
        var image: String?

        @OptionGroup var why: ReasonOptions

        @OptionGroup var node: DataOption

        func validate() throws {
            let conditions: [Any?] = [vrm, from, to, sighting, camera, force, image]
            guard conditions.contains(where: { $0 != nil }) else {
                throw ValidationError(
                    "Say whose images: a mark, a time, a sighting, a camera, a force or an image's id."
                )
            }
            if let vrm, MarkPattern(vrm) == nil {
                throw ValidationError("The mark takes 1 to 12 of A-Z and 0-9, with ? and *.")
            }
        }

        /// Finds the images, for a reason or not at all; on record either way, before anything is shown.
        func search(_ what: String) throws -> (search: ImageSearch, found: [ImageSearch.Found]) {
            let folder = try node.folder()
            var logged = logged(what, folder)
            try logged.demandReason()
            let search = ImageSearch(data: folder, keys: try KeyRing(data: folder))
            var found: [ImageSearch.Found] = []
            if let query = try query(folder) { found = try search.run(query) }
            // Which images were given out, where they can be named.
            if what == "fetch", !found.isEmpty {
                logged.request["images"] = found.prefix(100).map(\.binding.hash.text).joined(separator: " ")
            }
            try logged.note(found.count)
            return (search, found)
        }

        /// What to look for; `nil` when there is no such sighting.
        private func query(_ folder: String) throws -> ImageQuery? {
            var query = ImageQuery()
            query.mark = vrm.flatMap { MarkPattern($0) }
            query.from = from?.time
            query.to = to?.time
            query.camera = camera
            query.force = force
            query.kind = kind?.kind
            query.hash = image?.lowercased()
            guard let sighting else { return query }
            let finder = SightingFinder(
                data: folder,
                mark: query.mark,
                from: from?.time,
                to: to?.time
            )
            guard let reads = try finder.find(sighting.lowercased()) else { return nil }
            // The mark that was asked for may be one that was folded into the sighting's.
            query.mark = nil
            query.marks = reads.marks
            query.from = max(reads.from, query.from ?? reads.from)
            query.to = min(reads.to, query.to ?? reads.to)
            query.cameras = reads.cameras
            return query
        }

        private func logged(_ what: String, _ folder: String) -> LoggedRequest {
            var request = ["image": what]
            request["vrm"] = vrm
            request["from"] = from?.text
            request["to"] = to?.text
            request["sighting"] = sighting
            request["camera"] = camera
            request["force"] = force
            request["kind"] = kind?.rawValue
            request["id"] = image
            return LoggedRequest(data: folder, action: .search, why: why, request: request)
        }
    }

    /// `anpr image list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract:
                "List images by read. Who asked, why, what and how much was found is logged before anything is shown."
        )

        @OptionGroup var request: Request

        func run() throws {
            let found = try request.search("list").found
            try Console.output(ImageTable.text(found))
            Console.note("\(NumberText.grouped(found.count)) images, newest first. This search was logged.")
        }
    }

    /// `anpr image fetch`.
    struct Fetch: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "fetch",
            abstract: "Write images to files. Who asked, why and what is logged before anything is written.",
            discussion: """
                One image goes to a file, or to standard output with -. Where --out is a folder all that are found go \
                there, under their ids. What a sighting has at a gateway and not here is asked for over the link, when a \
                daemon runs: of a sighting, of one mark, or of a camera between two times, up to 16 images at once.
                """
        )

        @OptionGroup var request: Request

        @Option(help: "The file or folder to write to, or -.")
        var out: String

        @Option(help: "How long to wait for gateways, up to 1h.")
        var patience = DurationArgument(milliseconds: 60_000)

        func validate() throws {
            guard (0...ImageRequest.patienceMax).contains(patience.milliseconds) else {
                throw ValidationError("--patience takes up to 1h.")
            }
        }

        func run() throws {
            for trouble in try request.bring(patience.milliseconds) { Console.note(trouble) }
            let (search, found) = try request.search("fetch")
            guard let first = found.first else {
                Console.note("There is no such image. This search was logged.")
                throw ExitCode.failure
            }
            var isFolder: ObjCBool = false
            if unsafe FileManager.default.fileExists(atPath: out, isDirectory: &isFolder), isFolder.boolValue
            {
                for one in found { try write(search.jpeg(of: one), "\(out)/\(one.binding.hash.text).jpg") }
                Console.note("\(NumberText.grouped(found.count)) images. This search was logged.")
                return
            }
            guard Set(found.map(\.binding.hash)).count == 1 else {
                Console.note(
                    "\(NumberText.grouped(found.count)) images are meant: name one with --image, --kind or --camera, or give a folder."
                )
                throw ExitCode.failure
            }
            let jpeg = try search.jpeg(of: first)
            if out == "-" {
                try unsafe jpeg.withUnsafeBytes { try unsafe Console.writeOutput($0) }
            } else {
                try write(jpeg, out)
            }
            Console.note("1 image. This search was logged.")
        }

        private func write(_ jpeg: [UInt8], _ path: String) throws {
            do {
                try Data(jpeg).write(to: URL(fileURLWithPath: path), options: .atomic)
            } catch {
                throw ConsoleError(text: "\(path): \(error.localizedDescription)")
            }
        }
    }
}

/// Finds a sighting by its id, from which nothing else can be told: a day at a time, the newest first.
struct SightingFinder {
    /// The reads of a sighting.
    struct Reads {
        var marks: Set<VRM>
        var from: Timestamp
        var to: Timestamp
        var cameras: Set<[String]>
        /// The mark and the camera of the best read.
        var best: (vrm: VRM, camera: [String])

        init(_ index: Int, of found: ResolvedSightings) {
            let sighting = found.batch.sightings[index]
            let name = { (camera: CameraIndex) in
                [found.register.cameras[Int(camera)].force, found.register.cameras[Int(camera)].name]
            }
            let merged = found.batch.variants(of: index).filter(\.isMerged).map(\.vrm)
            marks = Set([sighting.vrm] + merged)
            from = sighting.first
            to = sighting.last
            cameras = Set(found.batch.contributions(of: index).map { name($0.camera) })
            best = (sighting.vrm, name(sighting.camera))
        }
    }

    let data: String
    let mark: MarkPattern?
    let from: Timestamp?
    let to: Timestamp?

    private static let day: Int64 = 86_400_000

    func find(_ id: String) throws -> Reads? {
        let search = ArchiveSearch(data: data)
        guard let earliest = try search.earliest() else { return nil }
        let first = max(from ?? earliest, earliest)
        var end = to ?? Timestamp(milliseconds: Operator.now.milliseconds + Self.day)
        while end >= first {
            var query = SightingQuery()
            query.mark = mark
            query.to = end
            query.from = Timestamp(milliseconds: end.milliseconds - Self.day)
            if let found = try reads(of: id, in: search.run(query)) { return found }
            end = Timestamp(milliseconds: end.milliseconds - Self.day)
        }
        return nil
    }

    private func reads(of id: String, in found: ResolvedSightings) throws -> Reads? {
        for (index, sighting) in found.batch.sightings.enumerated() {
            let site = SightingID.hash(ofSite: found.register.siteName(of: sighting.camera))
            guard SightingID(vrm: sighting.vrm, siteHash: site, first: sighting.opened).text == id else {
                continue
            }
            return Reads(index, of: found)
        }
        return nil
    }
}

/// Images as a table for people.
enum ImageTable {
    static func text(_ found: [ImageSearch.Found]) -> String {
        guard !found.isEmpty else { return "" }
        let titles = ["captured (UTC)", "vrm", "force", "camera", "kind", "bytes", "id"]
        let rows = found.map { one in
            let binding = one.binding
            let captured = TimestampWriter.text(binding.captured).replacing("T", with: " ").dropLast()
            return [
                String(captured), binding.vrm.text, binding.force, binding.camera, binding.kind.name,
                NumberText.grouped(one.length), binding.hash.text,
            ]
        }
        return TextTable.text([titles] + rows)
    }
}
