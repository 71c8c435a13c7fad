import ANPRModel
import Archive
import ArgumentParser
import Foundation

/// `anpr keys`: the keys under which an archive is encrypted.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "The keys of an archive: which there are, and another master key for them.",
        discussion: """
            Each day's sightings of each force have a key of their own, and so has each file of the journal, the sighting \
            log, alerts, refused records and images; all are wrapped by the master key. They stand in the data folder's \
            keys/ring. Keep copies of that file apart from copies of the rest, and no longer than the data may be \
            kept: when a key is destroyed, what it closed opens nowhere any more.
            """,
        subcommands: [List.self, Rotate.self]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say of which days and forces, and of how many files, there are keys."
        )

        @OptionGroup var node: DataOption

        func run() throws {
            let folder = try node.folder()
            let catalogue = try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true)
            let names = try KeyRing(data: folder, catalogue).names()
            let rows = names.map {
                [DayText.date($0.day), $0.isOfFile ? "a file" : $0.force, String($0.number, radix: 16)]
            }
            if !rows.isEmpty { try Console.output(TextTable.text([["day", "force", "key"]] + rows)) }
            Console.note("\(NumberText.grouped(names.count)) keys.")
        }
    }

    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make another master key, wrap all keys by it, and forget the one before.",
            discussion: """
                No daemon may be running on the data folder. Nothing that is encrypted is written anew. Without --to-file \
                or --to-command the new key is put where the one before is, in its file. A run that was cut off leaves \
                a folder that opens, and is simply repeated.
                """
        )

        @Option(help: "Wrap them by the key in this file from now on; it is made if it is not there.")
        var toFile: String?

        @Option(help: "Wrap them by the key that this command prints from now on, 32 bytes in Base64.")
        var toCommand: String?

        @OptionGroup var node: DataOption

        func validate() throws {
            if toFile != nil, toCommand != nil {
                throw ValidationError("A key comes from --to-file or from --to-command.")
            }
        }

        func run() throws {
            let folder = try node.folder()
            let lock = try DataLock(folder)
            defer { withExtendedLifetime(lock) {} }
            let target = target
            let catalogue = try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: target == nil)
            let keys = try KeyRing(data: folder, catalogue)
            if let target {
                try keys.changeMaster(to: target, in: catalogue)
            } else {
                try keys.rotateMaster()
            }
            Console.note(
                "\(NumberText.grouped(try keys.names().count)) keys are wrapped by \(target == nil ? "a new" : "that") master key."
            )
            if let target { tell(target, former: keys.source, folder) }
        }

        /// Where the new key comes from; `nil` for where the one before does.
        private var target: MasterKeySource? {
            // A path that other processes find too, from wherever they run.
            toFile.map { .file(Self.absolute($0)) } ?? toCommand.map { .command($0) }
        }

        private static func absolute(_ path: String) -> String {
            URL(fileURLWithPath: path).standardizedFileURL.path
        }

        /// Says what is left to do.
        private func tell(_ target: MasterKeySource, former: MasterKeySource, _ folder: String) {
            let own = Self.absolute("\(folder)/keys/master.key")
            switch target {
            case .file(own):
                Console.note("The configuration must name no masterKey under encryption any more.")
            case .file(let path):
                Console.note("The configuration must say now: encryption: { masterKey: { file: \(path) } }")
            case .command:
                Console.note(
                    "The configuration must name that command now: encryption: { masterKey: { command: … } }"
                )
            }
            if target != .file(own), DataFolder.exists(own) {
                Console.note("\(own) has that key, too: remove it if nothing reads it there.")
            }
            if case .file(let path) = former, former != target, Self.absolute(path) != own {
                Console.note("\(path) has the key before, which opens older copies of keys/ring: destroy it.")
            }
        }
    }
}

/// Days in writing.
private enum DayText {
    static func date(_ day: Int32) -> String {
        String(TimestampWriter.text(Timestamp(milliseconds: Int64(day) * 86_400_000)).prefix(10))
    }
}
