import ANPRModel

/// What was taken of a line that is written as the lines before it were.
private struct UsualLine {
    /// Bit by field: met in this line.
    var met: UInt32 = 0
    /// Members that the format does not know.
    var unknown = 0
    var force: UInt64 = 0
    var forceLength = 0
    var read = Read(vrm: VRM(trusted: 0), captured: .distantPast, camera: .max)
    /// Whether bytes outside ASCII were met.
    var hasHighBytes = false
    /// Bit by field: a coordinate that is its camera's usual one, at `starts` and `ends` of its slot.
    var usual: UInt32 = 0

    @inline(__always)
    func has(_ field: ReadField) -> Bool { met & field.bit != 0 }

    static let required =
        ReadField.vrm.bit | ReadField.force.bit | ReadField.camera.bit | ReadField.captured.bit
    static let position = ReadField.lat.bit | ReadField.lon.bit
}

extension ReadAssembler {
    /// Takes a line whose members and values are all of the kind that feeds send all day, straight into a read.
    ///
    /// Values are looked at where they stand, in words of eight bytes, as the gaps between them were learnt from the
    /// strict scan. All or nothing: where anything is unlike that, or is to be refused, nothing was taken and the
    /// line is for the strict decoder, so no rule stands here that does not stand there.
    ///
    /// - Parameters:
    ///   - start: where the line starts.
    ///   - end: where the content ends; 32 line feeds follow.
    ///   - gaps: what the decoder has learnt.
    /// - Returns: where the next line starts; `nil` when nothing was taken.
    mutating func takeUsual(
        _ bytes: Span<UInt8>,
        from start: Int,
        to end: Int,
        _ gaps: inout MemberGaps,
        _ fields: inout FieldSlots,
        into batch: inout DecodedBatch
    ) -> Int? {
        var line = UsualLine()
        var position = start
        var place = MemberGaps.place(after: MemberGaps.start, isText: false)
        fields.removeAll()
        while true {
            guard let gap = gaps.match(bytes, at: position, place) else { return nil }
            position += gap.length
            if gap.field == MemberGaps.end { break }
            if gap.field == ReadField.count {
                line.unknown += 1
            } else {
                let bit: UInt32 = 1 &<< UInt32(truncatingIfNeeded: gap.field)
                // Of two equal keys the last counts: a rule that stands elsewhere.
                guard line.met & bit == 0 else { return nil }
                line.met |= bit
            }
            guard let isText = value(bytes, &position, gap.field, &line, &fields) else { return nil }
            place = MemberGaps.place(after: gap.field, isText: isText)
        }
        guard position <= end, line.met & UsualLine.required == UsualLine.required else { return nil }
        if line.hasHighBytes, !NDJSONDecoder.isUTF8(bytes, start..<position) { return nil }
        finish(bytes, &line, &fields, &batch)
        return position
    }

    /// Takes the value of one member.
    ///
    /// - Parameter position: at the value; then at the closing quote of a text, or behind any other value.
    /// - Returns: whether it is a text; `nil` when it is not of the usual kind.
    @inline(__always)
    private mutating func value(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        _ field: Int,
        _ line: inout UsualLine,
        _ fields: inout FieldSlots
    ) -> Bool? {
        let isText = bytes[position] == UInt8(ascii: "\"")
        switch field {
        case ReadField.vrm.rawValue:
            guard isText, let (word, length) = shortText(bytes, position + 1),
                let packed = VRMPacker.plain(word, length: length)
            else { return nil }
            line.read.vrm = VRM(trusted: packed)
            position += 1 + length
        case ReadField.force.rawValue:
            guard isText, let (word, length) = shortText(bytes, position + 1) else { return nil }
            line.force = word
            line.forceLength = length
            position += 1 + length
        case ReadField.camera.rawValue:
            guard isText, line.has(.force), takeCamera(bytes, &position, &line) else { return nil }
        case ReadField.captured.rawValue:
            guard isText, bytes[position + 25] == UInt8(ascii: "\""),
                let moment = times.usual(bytes, at: position + 1), moment <= latest
            else { return nil }
            line.read.captured = moment
            position += 25
        case ReadField.lat.rawValue where takeCoordinate(bytes, &position, .lat, &line, &fields): break
        case ReadField.lon.rawValue where takeCoordinate(bytes, &position, .lon, &line, &fields): break
        case ReadField.confidence.rawValue:
            guard let digits = shortNumber(bytes, position), digits.value <= 100 else { return nil }
            line.read.confidence = Int8(truncatingIfNeeded: digits.value)
            position += digits.length
        case ReadField.lane.rawValue:
            guard let digits = shortNumber(bytes, position), digits.value <= 63 else { return nil }
            line.read.lane = Int8(truncatingIfNeeded: digits.value)
            position += digits.length
        case ReadField.direction.rawValue:
            guard isText, let (word, length) = shortText(bytes, position + 1),
                let direction = Self.compassPoint(word)
            else { return nil }
            line.read.direction = direction
            position += 1 + length
        default:
            return other(bytes, &position, field, isText: isText, &line, &fields) ? isText : nil
        }
        return isText
    }

    /// Notes where any other plain value stands, for the assembler to look at, or passes one that nothing asks for.
    private func other(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        _ field: Int,
        isText: Bool,
        _ line: inout UsualLine,
        _ fields: inout FieldSlots
    ) -> Bool {
        let start = position
        let isKnown = field < ReadField.count
        if isText {
            guard let end = try? JSONScanner.string(bytes, from: start + 1), !end.hasEscapes || !isKnown
            else { return false }
            line.hasHighBytes = line.hasHighBytes || end.hasHighBytes
            position = end.position
            if isKnown { fields.set(field, from: start + 1, to: position, .text) }
        } else if JSONScanner.isNumberStart(bytes[start]) {
            guard let end = try? JSONScanner.number(bytes, from: start) else { return false }
            position = end
            if isKnown { fields.set(field, from: start, to: end, .number) }
        } else {
            guard !isKnown, let isHigh = try? JSONScanner.skipValue(bytes, &position) else { return false }
            line.hasHighBytes = line.hasHighBytes || isHigh
        }
        return true
    }

    /// Takes a camera's name of up to 16 bytes, whose force was met before it, and finds the two in the register.
    @inline(__always)
    private func takeCamera(_ bytes: Span<UInt8>, _ position: inout Int, _ line: inout UsualLine) -> Bool {
        let start = position + 1
        var head = ByteWord.load(bytes, at: start)
        var tail: UInt64 = 0
        var marked = JSONScanner.special(head)
        var length = marked.trailingZeroBitCount &>> 3
        if marked == 0 {
            tail = ByteWord.load(bytes, at: start + 8)
            marked = JSONScanner.special(tail)
            guard marked != 0 else { return false }
            tail &= ByteWord.first(marked.trailingZeroBitCount &>> 3)
            length = 8 + marked.trailingZeroBitCount &>> 3
        } else {
            head &= ByteWord.first(length)
        }
        guard bytes[start + length] == UInt8(ascii: "\""),
            let camera = register.find(
                force: line.force,
                forceLength: line.forceLength,
                name: (head, tail),
                nameLength: length
            ), known[Int(camera)].isPermitted
        else { return false }
        line.read.camera = camera
        position = start + length
        return true
    }

    /// Passes a coordinate that is the one its camera, met before it, was found to have.
    @inline(__always)
    private func takeCoordinate(
        _ bytes: Span<UInt8>,
        _ position: inout Int,
        _ field: ReadField,
        _ line: inout UsualLine,
        _ fields: inout FieldSlots
    ) -> Bool {
        guard line.has(.camera) else { return false }
        let usual = known[Int(line.read.camera)].position
        let text = field == .lat ? usual.latitude : usual.longitude
        guard text.length > 0, text.stands(in: bytes, at: position) else { return false }
        line.usual |= field.bit
        fields.note(field, from: position, to: position + text.length)
        position += text.length
        return true
    }

    /// Makes the read of what was taken.
    @inline(__always)
    private mutating func finish(
        _ bytes: Span<UInt8>,
        _ line: inout UsualLine,
        _ fields: inout FieldSlots,
        _ batch: inout DecodedBatch
    ) {
        let camera = known[Int(line.read.camera)]
        if !line.has(.direction) { line.read.direction = camera.direction }
        if !line.has(.lane) { line.read.lane = camera.lane }
        if line.usual != 0, line.usual != UsualLine.position {
            // One coordinate as ever and not the other: both are looked at.
            for field in [ReadField.lat, .lon] where line.usual & field.bit != 0 {
                let range = fields.range(field)
                fields.set(field.rawValue, from: range.lowerBound, to: range.upperBound, .number)
            }
        }
        if fields.present != 0 { takeRest(bytes, fields, &line.read, &batch) }
        batch.unknownFields += line.unknown
        batch.reads.append(line.read)
    }

    private mutating func takeRest(
        _ bytes: Span<UInt8>,
        _ fields: FieldSlots,
        _ read: inout Read,
        _ batch: inout DecodedBatch
    ) {
        var details = ReadDetails()
        takeOptionals(bytes, fields, &read, &details, &batch)
        guard fields.has(.eventId) || fields.has(.lat), !details.isEmpty else { return }
        batch.details.append(details)
        read.details = UInt32(batch.details.count)
    }

    /// A text of up to eight plain bytes, zeroes behind it, and its length.
    @inline(__always)
    private func shortText(_ bytes: Span<UInt8>, _ start: Int) -> (word: UInt64, length: Int)? {
        let word = ByteWord.load(bytes, at: start)
        let marked = JSONScanner.special(word)
        // The lowest mark is always right: what stands there is the end, or nothing usual.
        let length = marked == 0 ? 8 : marked.trailingZeroBitCount &>> 3
        guard bytes[start + length] == UInt8(ascii: "\"") else { return nil }
        return (length == 8 ? word : word & ByteWord.first(length), length)
    }

    /// A whole number of one to three digits; that it ends there, the gap behind it shows.
    @inline(__always)
    private func shortNumber(_ bytes: Span<UInt8>, _ start: Int) -> (value: Int, length: Int)? {
        let first = Int(bytes[start]) - 48
        guard first >= 0, first <= 9 else { return nil }
        let second = Int(bytes[start + 1]) - 48
        guard second >= 0, second <= 9 else { return (first, 1) }
        guard first > 0 else { return nil }
        let third = Int(bytes[start + 2]) - 48
        guard third >= 0, third <= 9 else { return (first * 10 + second, 2) }
        return (first * 100 + second * 10 + third, 3)
    }
}
