import ANPRModel
import Archive
import SightingFrames

/// The bytes of the messages about images.
extension LinkMessage {
    /// The longest image that is taken, whatever a receiver says that it keeps.
    public static let imageMax = 16 << 20
    /// The most bytes of a picture in one part.
    public static let partMax = 64 << 10

    private static let isPushed: UInt8 = 1
    private static let isOpening: UInt8 = 2
    private static let isOverview: UInt8 = 4

    static func body(_ want: ImageWant) -> [UInt8] {
        var body: [UInt8] = [10]
        VaryingLength.append(want.number, to: &body)
        body.append(want.kind.rawValue)
        LittleEndian.append(want.vrm.packed, to: &body)
        LittleEndian.append(want.from.milliseconds, to: &body)
        VaryingLength.append(UInt64(max(0, want.to.milliseconds - want.from.milliseconds)), to: &body)
        for text in [want.force, want.camera, want.node, want.person, want.reason] {
            append(text, to: &body)
        }
        return body
    }

    static func want(_ body: [UInt8], _ position: inout Int) throws(Fault) -> ImageWant {
        let number = try number(body, &position)
        guard let kind = ImageKind(rawValue: try byte(body, &position)) else {
            throw Fault(description: "an image of unknown kind")
        }
        let vrm = try mark(body, &position)
        let from = try moment(body, &position)
        let span = try self.number(body, &position)
        guard span <= UInt64(ImageWant.spanMax) else {
            throw Fault(description: "an image of a span of over two hours")
        }
        let force = try text(body, &position)
        let camera = try text(body, &position)
        let node = try text(body, &position)
        let person = try text(body, &position)
        return ImageWant(
            number: number,
            kind: kind,
            force: force,
            camera: camera,
            vrm: vrm,
            from: from,
            to: min(Timestamp(milliseconds: from.milliseconds + Int64(span)), .latest),
            node: node,
            person: person,
            reason: try text(body, &position)
        )
    }

    static func body(_ part: LinkImagePart) -> [UInt8] {
        var body: [UInt8] = [11, part.kind == .overview ? isOverview : 0]
        body.reserveCapacity(part.bytes.count + 256)
        switch part.ticket {
        case .asked(let number): VaryingLength.append(number, to: &body)
        case .pushed(let number):
            body[1] |= isPushed
            VaryingLength.append(number, to: &body)
        }
        if let opening = part.opening {
            body[1] |= isOpening
            let binding = opening.binding
            LittleEndian.append(binding.vrm.packed, to: &body)
            LittleEndian.append(binding.captured.milliseconds, to: &body)
            body.append(UInt8(bitPattern: binding.confidence))
            append(binding.force, to: &body)
            append(binding.camera, to: &body)
            body += binding.hash.bytes
            VaryingLength.append(UInt64(opening.length), to: &body)
        } else {
            VaryingLength.append(UInt64(part.offset), to: &body)
        }
        return body + part.bytes
    }

    static func part(_ body: [UInt8], _ position: inout Int) throws(Fault) -> LinkImagePart {
        let flags = try byte(body, &position)
        guard flags < 8 else { throw Fault(description: "a part of an image with unknown flags") }
        let number = try number(body, &position)
        let kind = flags & isOverview == 0 ? ImageKind.plate : .overview
        var opening: LinkImagePart.Opening?
        var offset: UInt64 = 0
        if flags & isOpening != 0 {
            opening = try self.opening(body, &position, kind)
        } else {
            offset = try self.number(body, &position)
        }
        let count = body.count - position
        guard count > 0, count <= partMax, offset <= UInt64(imageMax) else {
            throw Fault(description: "a part of an image of \(count) bytes at byte \(offset)")
        }
        defer { position = body.count }
        return LinkImagePart(
            ticket: flags & isPushed == 0 ? .asked(number) : .pushed(number),
            kind: kind,
            opening: opening,
            offset: Int(offset),
            bytes: Array(body[position...])
        )
    }

    private static func opening(
        _ body: [UInt8],
        _ position: inout Int,
        _ kind: ImageKind
    ) throws(Fault) -> LinkImagePart.Opening {
        let vrm = try mark(body, &position)
        let captured = try moment(body, &position)
        let confidence = Int8(bitPattern: try byte(body, &position))
        let force = try text(body, &position)
        let camera = try text(body, &position)
        let end = min(body.count, position + 32)
        guard let hash = ImageHash(told: Array(body[position..<end])) else {
            throw Fault(description: "a message that breaks off")
        }
        position = end
        let length = try number(body, &position)
        guard length <= UInt64(imageMax) else {
            throw Fault(description: "an image of \(length) bytes")
        }
        return LinkImagePart.Opening(
            binding: ImageBinding(
                hash: hash,
                kind: kind,
                confidence: confidence,
                vrm: vrm,
                captured: captured,
                force: force,
                camera: camera
            ),
            length: Int(length)
        )
    }

    private static func mark(_ body: [UInt8], _ position: inout Int) throws(Fault) -> VRM {
        guard let vrm = VRM(packed: try word(body, &position)) else {
            throw Fault(description: "an image of no mark")
        }
        return vrm
    }

    /// A time that a read can carry.
    private static func moment(_ body: [UInt8], _ position: inout Int) throws(Fault) -> Timestamp {
        let moment = Timestamp(milliseconds: Int64(bitPattern: try word(body, &position)))
        guard moment >= .earliest, moment <= .latest else {
            throw Fault(description: "an image of no time")
        }
        return moment
    }

    private static func word(_ body: [UInt8], _ position: inout Int) throws(Fault) -> UInt64 {
        guard body.count - position >= 8 else { throw Fault(description: "a message that breaks off") }
        defer { position += 8 }
        return LittleEndian.read(body, at: position)
    }
}
