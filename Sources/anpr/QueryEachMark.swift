import ANPRModel
import Archive
import ArgumentParser
import Foundation
import Gateway

/// `anpr query -`: marks from standard input, one a line, each answered before the next one is read.
///
/// One process keeps the archive open meanwhile, so that what an analyst asks in the course of a day, or a list of many marks, is answered
/// sooner than by a process each. Each mark is a search of its own: on record, on disk, before anything of it is shown.
extension QueryCommand {
    /// Answers the marks that come.
    ///
    /// - Throws: at the end, where lines were no marks: exit code 65 if none was one, otherwise 1.
    func answerEach() throws {
        let folder = try node.folder()
        // Options that are of no use are told before anything is waited for.
        _ = try query("A")
        try request(of: folder, nil).demandReason()
        let search = ArchiveSearch(data: folder)
        let sink = try OutputSink(output)
        var marks = EachMark()
        if isatty(STDIN_FILENO) == 1 { Console.note("A mark a line; Ctrl-D ends.") }
        while let line = readLine() {
            guard let mark = marks.next(line) else { continue }
            do {
                let page = try search.page(try query(mark), behind: nil, count: summary == nil ? limit : nil)
                try request(of: folder, mark).note(page.found.batch.count)
                try sink.write(try text(of: page, mark, isFirst: marks.answered == 0))
                marks.note(page.found.batch.count)
            } catch let error as ValidationError {
                marks.refuse(error.message)
            }
        }
        // What was of no use at all leaves a file there was as it is.
        if !marks.areOfNoUse { try sink.finish() }
        try marks.finish()
    }

    /// One mark's answer: in a table under a heading, in CSV with one header for all.
    private func text(of page: SearchPage, _ mark: String, isFirst: Bool) throws -> [UInt8] {
        var text: [UInt8] = []
        try write(page.found) { text += $0 }
        switch format {
        case .table:
            let count = NumberText.grouped(page.found.batch.count)
            let approximate = page.found.approximate.count
            let under = approximate > 0 ? ", \(NumberText.grouped(approximate)) (~) under another mark" : ""
            let more = page.next == nil ? "" : "; there are more"
            let heading = "\(isFirst ? "" : "\n")\(mark): \(count) sightings, newest first\(under)\(more)\n"
            return Array(heading.utf8) + text
        case .csv where !isFirst:
            return Array(text.drop { $0 != UInt8(ascii: "\n") }.dropFirst())
        case .csv, .ndjson, .parquet:
            return text
        }
    }
}

/// Lines that should be marks, and what came of them.
private struct EachMark {
    private var line = 0
    private(set) var answered = 0
    private var refused = 0
    private var sightings = 0

    /// What a line names; `nil` for an empty one.
    mutating func next(_ text: String) -> String? {
        line += 1
        let mark = text.trimmingCharacters(in: .whitespaces)
        return mark.isEmpty ? nil : mark
    }

    mutating func note(_ count: Int) {
        answered += 1
        sightings += count
    }

    /// Tells the line, not what stands there.
    mutating func refuse(_ reason: String) {
        refused += 1
        Console.note("line \(line): \(reason)")
    }

    /// Whether lines came, and none was a mark.
    var areOfNoUse: Bool { answered == 0 && refused > 0 }

    func finish() throws {
        let marks = "\(NumberText.grouped(answered)) \(answered == 1 ? "mark" : "marks")"
        Console.note("\(marks), \(NumberText.grouped(sightings)) sightings. Each search was logged.")
        guard refused > 0 else { return }
        let lines = "\(NumberText.grouped(refused)) \(refused == 1 ? "line was" : "lines were")"
        Console.note("\(lines) no mark.")
        throw areOfNoUse ? CommandInput.unusableInput : ExitCode.failure
    }
}
