import ANPRModel

/// Cuts a feed's bytes into whole documents and keeps account of where they stand.
///
/// Documents follow each other one a line, over several lines or back to back, and as parts of multipart bodies. What
/// is no document is refused up to the next place where one can start. Nothing is remembered from one document to the
/// next, so that a feed can be taken up at any of them; a part counts as one together with the delimiter before it.
struct DocumentSplitter: Sendable {
    /// The longest document that is taken.
    static let documentMax = 1 << 20

    /// A document, or a part that is none.
    struct Unit {
        /// Where its bytes stand in the buffer.
        var content: Range<Int>
        /// `nil` for a part that is no document.
        var notation: DocumentNotation?
        /// What it shows, if it is a picture.
        var image: ImageKind?
        /// Where it ends in the buffer, with all that belongs to it.
        var end: Int
    }

    private enum Mode {
        case between
        case json(JSONFraming)
        case xml(XMLFraming)
        case keyValue
        case part(MultipartPart, headStart: Int)
        case broken(BrokenDocument)
    }

    /// Documents and bytes before the next document.
    var position = FeedPosition()
    /// Rises where a multipart body begins or ends: parts of one body belong together.
    private(set) var body = 0
    private var delimiter: [UInt8] = []
    private let notations: [DocumentNotation]
    private var mode = Mode.between
    /// How far behind the front of the buffer the search goes on.
    private var searched = 0

    init(_ notations: [DocumentNotation]) { self.notations = notations }

    /// The next document or part.
    mutating func next(_ buffer: inout FeedBuffer, isFinal: Bool, into batch: inout DecodedBatch) -> Unit? {
        while true {
            switch mode {
            case .between:
                guard begin(&buffer, isFinal: isFinal) else { return nil }
            case .json(var framing):
                guard let step = frame(&framing, buffer, isFinal: isFinal) else {
                    mode = .json(framing)
                    return nil
                }
                if let unit = step.unit { return unit }
            case .xml(var framing):
                guard let step = frame(&framing, buffer, isFinal: isFinal) else {
                    mode = .xml(framing)
                    return nil
                }
                if let unit = step.unit { return unit }
            case .keyValue:
                guard let step = frameLines(buffer, isFinal: isFinal) else { return nil }
                if let unit = step.unit { return unit }
            case .part(let part, let headStart):
                guard let step = frame(part, headStart, &buffer, isFinal: isFinal) else { return nil }
                if let unit = step.unit { return unit }
            case .broken(let broken):
                guard refuse(broken, &buffer, isFinal: isFinal, &batch) else { return nil }
            }
        }
    }

    /// Consumes what `next` gave.
    mutating func finish(_ unit: Unit, _ buffer: inout FeedBuffer) {
        if unit.notation != nil { position.line += 1 }
        consume(unit.end - buffer.start, &buffer)
    }

    /// The place of a unit's bytes in the feed.
    func offset(of unit: Unit, in buffer: FeedBuffer) -> UInt64 {
        position.offset + UInt64(unit.content.lowerBound - buffer.start)
    }

    private mutating func consume(_ count: Int, _ buffer: inout FeedBuffer) {
        position.offset += UInt64(count)
        buffer.consume(count)
        searched = 0
        mode = .between
    }

    /// What a step of framing came to: a unit, or another mode.
    private struct Step {
        var unit: Unit?
    }

    private mutating func breakOff(
        _ reason: ReadRefusal,
        anchor: Int = 0,
        root: [UInt8] = [],
        delimiter: [UInt8] = []
    ) -> Step {
        var broken = BrokenDocument(reason: reason, notations: delimiter.isEmpty ? notations : [])
        broken.root = root
        broken.delimiter = delimiter
        mode = .broken(broken)
        searched = anchor + 1
        return Step()
    }

    // MARK: - Starts

    /// Passes what may stand between documents and tells what comes.
    ///
    /// - Returns: whether something comes and enough of it is there to tell what.
    private mutating func begin(_ buffer: inout FeedBuffer, isFinal: Bool) -> Bool {
        guard passSpace(&buffer, isFinal: isFinal), buffer.count > 0 else { return false }
        let first = buffer.storage[buffer.start]
        if first == UInt8(ascii: "{") || first == UInt8(ascii: "["), notations.contains(.json) {
            mode = .json(JSONFraming())
        } else if first == UInt8(ascii: "<"), notations.contains(.xml) {
            mode = .xml(XMLFraming())
        } else if first == UInt8(ascii: "-") {
            return beginPart(&buffer, isFinal: isFinal)
        } else if notations.contains(.keyValue), XMLScanner.isNameStart(first) {
            mode = .keyValue
        } else {
            _ = breakOff(.malformed)
        }
        return true
    }

    private mutating func passSpace(_ buffer: inout FeedBuffer, isFinal: Bool) -> Bool {
        var start = buffer.start
        while start < buffer.end {
            let byte = buffer.storage[start]
            if XMLScanner.isSpace(byte) {
                start += 1
            } else if byte == 0xEF {
                let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
                let opening = buffer.storage[start..<min(buffer.end, start + 3)]
                guard mark.starts(with: opening) else { break }
                guard opening.count == 3 || isFinal else {
                    consume(start - buffer.start, &buffer)
                    return false
                }
                guard opening.count == 3 else { break }
                start += 3
            } else {
                break
            }
        }
        consume(start - buffer.start, &buffer)
        return true
    }

    private mutating func beginPart(_ buffer: inout FeedBuffer, isFinal: Bool) -> Bool {
        let start = buffer.start
        switch DelimiterLine(buffer.storage.span, start, buffer.end, isFinal: isFinal) {
        case .incomplete: return false
        case .none: _ = breakOff(.malformed)
        case .closes(let end):
            consume(end - start, &buffer)
            beginBody([])
        case .opens(let boundary, let end):
            let part = MultipartPart(delimiter: Array(buffer.storage[boundary]))
            if part.delimiter != delimiter { beginBody(part.delimiter) }
            mode = .part(part, headStart: end - start)
        }
        return true
    }

    private mutating func beginBody(_ delimiter: [UInt8]) {
        body += 1
        self.delimiter = delimiter
    }

    // MARK: - Framing

    private mutating func frame(_ framing: inout JSONFraming, _ buffer: FeedBuffer, isFinal: Bool) -> Step? {
        let bytes = buffer.storage.span
        let start = buffer.start
        let limit = min(buffer.end, start + Self.documentMax)
        while start + searched < limit {
            let verdict = framing.take(bytes[start + searched])
            searched += 1
            switch verdict {
            case .more: continue
            case .broken: return breakOff(.malformed)
            case .tooDeep: return breakOff(.nestedTooDeeply)
            case .ends:
                let end = start + searched
                return Step(unit: Unit(content: start..<end, notation: .json, end: end))
            }
        }
        if buffer.count > Self.documentMax { return breakOff(.recordTooLong) }
        return isFinal ? breakOff(.malformed) : nil
    }

    private mutating func frame(_ framing: inout XMLFraming, _ buffer: FeedBuffer, isFinal: Bool) -> Step? {
        let start = buffer.start
        let limit = min(buffer.end, start + Self.documentMax)
        var place = start + searched
        do throws(ReadRefusal) {
            if try framing.advance(buffer.storage.span, from: start, &place, limit) {
                return Step(unit: Unit(content: start..<place, notation: .xml, end: place))
            }
        } catch {
            return breakOff(error, anchor: framing.rootStart, root: framing.root)
        }
        searched = place - start
        guard buffer.count > Self.documentMax || isFinal else { return nil }
        let reason = buffer.count > Self.documentMax ? ReadRefusal.recordTooLong : .malformed
        return breakOff(reason, anchor: framing.rootStart, root: framing.root)
    }

    /// Lines of key and value up to a blank one or to a document of another notation.
    private mutating func frameLines(_ buffer: FeedBuffer, isFinal: Bool) -> Step? {
        let bytes = buffer.storage.span
        let start = buffer.start
        let limit = min(buffer.end, start + Self.documentMax)
        while start + searched < limit {
            let place = start + searched
            let before = bytes[place]
            guard before == 0x0A else {
                searched += 1
                continue
            }
            guard place + 1 < limit else { break }
            if !XMLScanner.isNameStart(bytes[place + 1]) {
                return Step(unit: Unit(content: start..<place, notation: .keyValue, end: place + 1))
            }
            searched += 1
        }
        if buffer.count > Self.documentMax { return breakOff(.recordTooLong) }
        guard isFinal else { return nil }
        return Step(unit: Unit(content: start..<buffer.end, notation: .keyValue, end: buffer.end))
    }

    private mutating func frame(
        _ part: MultipartPart,
        _ headStart: Int,
        _ buffer: inout FeedBuffer,
        isFinal: Bool
    ) -> Step? {
        var part = part
        let start = buffer.start
        if part.contentStart == 0 {
            do throws(ReadRefusal) {
                let isWhole = try part.readHead(
                    buffer.storage.span,
                    from: start,
                    start + headStart,
                    buffer.end
                )
                guard isWhole else { return isFinal ? endInHead(part, headStart, &buffer) : nil }
            } catch {
                return breakOff(error)
            }
            mode = .part(part, headStart: headStart)
        }
        let bytes = buffer.storage.span
        var place = start + searched
        let found = part.end(bytes, from: start, &place, buffer.end, isFinal: isFinal)
        searched = place - start
        let content = start + part.contentStart..<(found?.content ?? max(place, start + part.contentStart))
        let isImage = part.isImage(bytes, content)
        let length = isImage ? MultipartPart.imageMax : Self.documentMax
        // While the end is not known, the line end before the delimiter may be among what was searched.
        if content.count > (found == nil ? length + 2 : length) {
            return breakOff(.recordTooLong, delimiter: part.delimiter)
        }
        guard let found else { return nil }
        let notation = part.notation(bytes, content, notations)
        return Step(
            unit: Unit(
                content: content,
                notation: notation,
                image: isImage && !content.isEmpty ? part.imageKind : nil,
                end: found.part
            )
        )
    }

    /// The feed ends behind a delimiter: nothing is lost unless something follows it.
    private mutating func endInHead(_ part: MultipartPart, _ headStart: Int, _ buffer: inout FeedBuffer)
        -> Step
    {
        let rest = buffer.start + headStart..<buffer.end
        guard XMLScanner.isSpace(buffer.storage.span, rest) else {
            return breakOff(.malformed)
        }
        consume(buffer.count, &buffer)
        return Step()
    }

    // MARK: - Refusals

    /// Refuses what is no document: whole pieces of 1 MiB, and the rest once its end is there.
    ///
    /// - Returns: whether it is over.
    private mutating func refuse(
        _ broken: BrokenDocument,
        _ buffer: inout FeedBuffer,
        isFinal: Bool,
        _ batch: inout DecodedBatch
    ) -> Bool {
        var broken = broken
        var place = buffer.start + searched
        let next = broken.nextStart(
            buffer.storage.span,
            from: buffer.start,
            &place,
            buffer.end,
            isFinal: isFinal
        )
        var rest = (next ?? place) - buffer.start
        while rest > Self.documentMax {
            batch.refuseLong(
                Array(buffer.storage[buffer.start..<buffer.start + Self.documentMax]),
                at: position,
                isContinuation: broken.isContinued
            )
            broken.isContinued = true
            consume(Self.documentMax, &buffer)
            rest -= Self.documentMax
        }
        mode = .broken(broken)
        searched = rest
        guard next != nil else { return false }
        var raw = Array(buffer.storage[buffer.start..<buffer.start + rest])
        while let last = raw.last, XMLScanner.isSpace(last) { raw.removeLast() }
        if broken.isContinued || broken.reason == .recordTooLong {
            batch.refuseLong(raw, at: position, isContinuation: broken.isContinued)
        } else {
            batch.received += 1
            batch.refuse(raw, broken.reason, line: position.line + 1, offset: position.offset)
        }
        position.line += 1
        consume(rest, &buffer)
        return true
    }
}
