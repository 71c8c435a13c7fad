import ANPRModel
import Archive
import ArgumentParser

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
            discussion:
                "No daemon may be running on the data folder. Nothing that is encrypted is written anew."
        )

        @OptionGroup var node: DataOption

        func run() throws {
            let folder = try node.folder()
            let lock = try DataLock(folder)
            defer { withExtendedLifetime(lock) {} }
            let catalogue = try Catalogue("\(folder)/catalogue.sqlite", isReadOnly: true)
            let keys = try KeyRing(data: folder, catalogue)
            try keys.rotateMaster()
            Console.note(
                "\(NumberText.grouped(try keys.names().count)) keys are wrapped by a new master key."
            )
        }
    }
}

/// Days in writing.
private enum DayText {
    static func date(_ day: Int32) -> String {
        String(TimestampWriter.text(Timestamp(milliseconds: Int64(day) * 86_400_000)).prefix(10))
    }
}
