import ANPRModel
import Archive
import Forwarding
import Simulation
import SightingFrames
import Testing

/// Images over a link: cut, put together again, and what is not believed of them.
struct LinkImageTests {
    private static let captured = Timestamp(milliseconds: 1_795_000_000_000)

    static func image(
        _ ticket: ImageTicket,
        _ count: Int = 500,
        kind: ImageKind = .plate,
        force: String = "43",
        content: UInt8 = 7
    ) throws -> LinkImage {
        let jpeg = [0xFF, 0xD8, 0xFF] + [UInt8](repeating: content, count: count - 3)
        let binding = ImageBinding(
            hash: ImageHash(of: jpeg),
            kind: kind,
            confidence: -1,
            vrm: try #require(VRM("AB27CDE")),
            captured: captured,
            force: force,
            camera: "43-1"
        )
        return LinkImage(ticket: ticket, binding: binding, jpeg: jpeg)
    }

    private static func want(_ number: UInt64, kind: ImageKind = .plate) throws -> ImageWant {
        ImageWant(
            number: number,
            kind: kind,
            force: "43",
            camera: "43-1",
            vrm: try #require(VRM("AB27CDE")),
            from: Timestamp(milliseconds: captured.milliseconds - 100),
            to: Timestamp(milliseconds: captured.milliseconds + 100),
            node: "archive",
            person: "somebody",
            reason: "a test"
        )
    }

    private static func parts(_ image: LinkImage, _ lengthMax: Int) -> [LinkImagePart] {
        var cut = ImageParts(image)
        var parts: [LinkImagePart] = []
        while !cut.isDone { parts.append(cut.next(lengthMax)) }
        return parts
    }

    /// What a message is after it went over a line.
    private static func carried(_ message: LinkMessage) throws -> LinkMessage {
        let bytes = message.bytes
        var start = 0
        #expect(VaryingLength.read(bytes, at: &start).map(Int.init) == bytes.count - start)
        return try LinkMessage(body: Array(bytes[start...]))
    }

    /// A receiver that has admitted a sender for force 43.
    private static func receiver(plateMax: Int = 1 << 20, overviewMax: Int = 1 << 20) -> LinkReceiver {
        var receiver = LinkReceiver()
        _ = receiver.received(
            .hello(version: LinkMessage.version, node: "gw", stream: "s", first: 0)
        )
        let welcome = LinkWelcome(next: 0, plateMax: plateMax, overviewMax: overviewMax)
        _ = receiver.admitted(welcome, forces: ["43"])
        return receiver
    }

    @Test(
        "whatever the parts, with text between them, the image comes together as it was",
        arguments: 1...20 as ClosedRange<UInt64>
    )
    func anyCut(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var receiver = Self.receiver()
        for number in 1...5 as ClosedRange<UInt64> {
            var image = try Self.image(.pushed(number), 4 + random.below(200_000))
            for place in 3..<image.jpeg.count { image.jpeg[place] = UInt8(truncatingIfNeeded: random.next()) }
            if random.chance(perMille: 500) {
                image.binding.kind = .overview
                image.ticket = .asked(number)
                var want = try Self.want(number, kind: .overview)
                want.reason = String(repeating: "w", count: 1 + random.below(300))
                #expect(receiver.want(want) == [.send(.imageWanted(want))])
                #expect(try Self.carried(.imageWanted(want)) == .imageWanted(want))
            }
            image.binding = ImageBinding(
                hash: ImageHash(of: image.jpeg),
                kind: image.binding.kind,
                confidence: Int8(random.below(101)),
                vrm: image.binding.vrm,
                captured: image.binding.captured,
                force: "43",
                camera: "43-1"
            )
            var cut = ImageParts(image)
            while !cut.isDone {
                // Nothing is longer than a message takes, whatever is asked for.
                let part = cut.next(1 + random.below(random.chance(perMille: 300) ? 100 : 100_000))
                let message = try Self.carried(.imagePart(part))
                #expect(message == .imagePart(part))
                if random.chance(perMille: 300) {
                    guard case .store? = receiver.received(.sightings([0])).first else {
                        Issue.record("text was not taken between parts")
                        return
                    }
                }
                let actions = receiver.received(message)
                #expect(actions == (cut.isDone ? [.keepImage(image)] : []))
            }
            let taken: [LinkReceiver.Action] =
                image.ticket == .pushed(number) ? [.send(.imageTaken(number: number))] : []
            #expect(receiver.kept(image.ticket) == taken)
        }
    }

    /// Parts that no honest sender sends.
    enum Injury: String, CaseIterable {
        case skipped, repeated, reordered, otherTicket, otherKind, tooMuch, changed, noJPEG, unannounced,
            empty
        case tooLong, otherForce, notAsked, pushedOverview, secondBeginning, otherRead
    }

    @Test("what does not follow, is too long, changed or of another is refused", arguments: Injury.allCases)
    func hostile(injury: Injury) throws {
        var receiver = Self.receiver(plateMax: 1000)
        var image = try Self.image(.pushed(4))
        if injury == .tooLong { image = try Self.image(.pushed(4), 1001) }
        if injury == .otherForce { image = try Self.image(.pushed(4), force: "44") }
        if injury == .notAsked { image = try Self.image(.asked(4)) }
        if injury == .pushedOverview { image = try Self.image(.pushed(4), kind: .overview) }
        if injury == .noJPEG {
            image.jpeg[0] = 0
            image.binding.hash = ImageHash(of: image.jpeg)
        }
        if injury == .otherRead {
            _ = receiver.want(try Self.want(4))
            image.ticket = .asked(4)
            image.binding.captured = Timestamp(milliseconds: Self.captured.milliseconds + 101)
        }
        var parts = Self.parts(image, 100)
        switch injury {
        case .skipped: parts.remove(at: 2)
        case .repeated: parts.insert(parts[2], at: 2)
        case .reordered: parts.swapAt(2, 3)
        case .otherTicket: parts[2].ticket = .pushed(5)
        case .otherKind: parts[2].kind = .overview
        case .tooMuch: parts[4].bytes.append(7)
        case .changed: parts[3].bytes[9] ^= 1
        case .unannounced: parts.removeFirst()
        case .empty: parts[0].opening?.length = 0
        case .secondBeginning: parts.insert(parts[0], at: 1)
        case .tooLong, .otherForce, .notAsked, .pushedOverview, .noJPEG, .otherRead: break
        }
        var last: [LinkReceiver.Action] = []
        for part in parts {
            last = receiver.received(.imagePart(part))
            #expect(!last.contains { if case .keepImage = $0 { true } else { false } })
            if last.last == .close { break }
        }
        #expect(last.last == .close)
        #expect(receiver.kept(.pushed(4)).isEmpty)
    }

    @Test("messages cut anywhere, and lengths and times that can't be, are refused before they are believed")
    func bytes() throws {
        let part = try #require(Self.parts(try Self.image(.asked(9)), 200).first)
        let messages: [LinkMessage] = [
            .imageWanted(try Self.want(300)), .imageMissing(number: 3, "none"), .imageTaken(number: 1 << 40),
            .imagePart(part),
        ]
        for message in messages {
            #expect(try Self.carried(message) == message)
            let bytes = message.bytes
            var start = 0
            _ = VaryingLength.read(bytes, at: &start)
            let end = if case .imagePart = message { bytes.count - 199 } else { bytes.count }
            for length in start..<end {
                #expect(throws: LinkMessage.Fault.self) {
                    try LinkMessage(body: Array(bytes[start..<length]))
                }
            }
        }
        var long = part
        long.opening?.length = LinkMessage.imageMax + 1
        var far = part
        far.opening?.binding.captured = Timestamp(milliseconds: .max)
        var wide = part
        wide.bytes = [UInt8](repeating: 1, count: LinkMessage.partMax + 1)
        for hostile in [long, far, wide] {
            #expect(throws: LinkMessage.Fault.self) { try Self.carried(.imagePart(hostile)) }
        }
        var want = try Self.want(1)
        want.to = Timestamp(milliseconds: want.from.milliseconds + ImageWant.spanMax + 1)
        #expect(throws: LinkMessage.Fault.self) { try Self.carried(.imageWanted(want)) }
    }

    @Test(
        "a sender looks for what is asked for, up to a bound; a receiver takes no answer it did not ask for"
    )
    func machines() throws {
        var sender = LinkSender(node: "gw", stream: "s")
        _ = sender.connected(at: 0)
        guard case .close? = sender.received(.imageWanted(try Self.want(1)), at: 0).first else {
            Issue.record("a request before the welcome was taken")
            return
        }
        _ = sender.connected(at: 0)
        _ = sender.received(.welcome(LinkWelcome(next: 0)), at: 0)
        for number in 1...UInt64(LinkSender.wantsMax) {
            let want = try Self.want(number)
            #expect(sender.received(.imageWanted(want), at: 1) == [.lookFor(want)])
        }
        sender.answered()
        let next = try Self.want(99)
        #expect(sender.received(.imageWanted(next), at: 1) == [.lookFor(next)])
        #expect(sender.received(.imageTaken(number: 3), at: 1) == [.imageTaken(3)])
        guard case .close? = sender.received(.imageWanted(next), at: 1).first else {
            Issue.record("one request too many was taken")
            return
        }
        var receiver = Self.receiver()
        #expect(receiver.want(next) == [.send(.imageWanted(next))])
        let again = receiver.want(next)
        #expect(again.isEmpty, "twice under one number")
        let none = LinkMessage.imageMissing(number: 99, "none")
        #expect(receiver.received(none) == [.imageMissing(number: 99, "none")])
        #expect(receiver.received(none).last == .close)
    }

    @Test("one that sends without end and hears nothing asks whether the other is there")
    func busy() {
        let second: Int64 = 1_000_000_000
        var sender = LinkSender(node: "gw", stream: "s")
        _ = sender.connected(at: 0)
        _ = sender.received(.welcome(LinkWelcome(next: 0)), at: 0)
        var beats: [Int64] = []
        for time in 1...60 as ClosedRange<Int64> {
            sender.sent(.heartbeat, at: time * second)
            if sender.tick(at: time * second) == [.send(.heartbeat)] {
                beats.append(time)
                #expect(sender.received(.heartbeat, at: time * second + 1).isEmpty)
            }
        }
        #expect(beats == [11, 22, 33, 44, 55])
    }

    @Test("patches asked for, overviews asked for, patches to be pushed; what has begun is ended first")
    func turns() throws {
        var turns = ImageTurns(pushes: true)
        #expect(turns.next(100) == .lookForPatch)
        #expect(turns.next(100) == .nothing, "one is looked for at a time")
        turns.found(try Self.image(.pushed(1), 250))
        let (overview, plate) = (try Self.want(1, kind: .overview), try Self.want(2))
        turns.wanted(overview)
        turns.wanted(plate)
        for offset in [0, 100, 200] {
            guard case .part(let part) = turns.next(100) else {
                Issue.record("no part at \(offset)")
                return
            }
            #expect(part.offset == offset && part.ticket == .pushed(1))
        }
        #expect(turns.next(100) == .look(plate))
        turns.foundNone()
        #expect(turns.next(100) == .look(overview))
        turns.foundNone()
        #expect(turns.isIdle)
        #expect(turns.next(100) == .lookForPatch)
        var quiet = ImageTurns(pushes: false)
        #expect(quiet.next(100) == .nothing)
        #expect(quiet.isIdle)
    }
}
