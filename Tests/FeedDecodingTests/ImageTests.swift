import ANPRModel
import FeedDecoding
import Foundation
import Simulation
import TestSupport
import Testing

/// Pictures that come with reads: which are kept, and whose they are.
struct ImageTests {
    private static let rules = ImageRules(plateMax: 100, overviewMax: 1000)

    /// What begins as a JPEG file does.
    private static func jpeg(_ count: Int, _ filling: UInt8 = 7) -> [UInt8] {
        [0xFF, 0xD8, 0xFF, 0xE0] + [UInt8](repeating: filling, count: count - 4)
    }

    private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    private static func decode(
        _ pieces: [[UInt8]],
        _ format: FeedFormat,
        _ register: CameraRegister,
        _ rules: FeedRules
    ) -> DecodedBatch {
        var decoder = FeedDecoder(format: format, register: register, rules: rules)
        var buffer = FeedBuffer(capacity: 64)
        var batch = DecodedBatch()
        for piece in pieces {
            buffer.append(piece)
            decoder.decode(&buffer, isFinal: false, into: &batch)
        }
        decoder.decode(&buffer, isFinal: true, into: &batch)
        return batch
    }

    private static let register = CameraRegister([Camera(force: "43", name: "43-1")])

    private static func line(_ second: Int, _ more: String) -> String {
        #"{"force":"43","camera":"43-1","vrm":"AB27CDE","captured":"2026-11-20T06:00:0\#(second).000Z"\#(more)}"#
    }

    /// A way to write an image in a read, and what becomes of it.
    private static let fields: [(field: String, text: String, kept: Int, dropped: Int)] = [
        ("plateImage", base64(jpeg(100)), 1, 0),
        ("plateImage", base64(jpeg(99)), 1, 0),
        ("plateImage", base64(jpeg(98)), 1, 0),
        ("plateImage", base64(jpeg(99)).replacing("=", with: ""), 1, 0),
        ("plateImage", "data:image/jpeg;base64," + base64(jpeg(50)), 1, 0),
        ("plateImage", base64(jpeg(60)).replacing("B", with: " B"), 1, 0),
        ("plateImage", base64(jpeg(101)), 0, 1),
        ("plateImage", base64(jpeg(400)), 0, 1),
        ("overviewImage", base64(jpeg(1000)), 1, 0),
        ("overviewImage", base64(jpeg(1003)), 0, 1),
        ("overviewImage", base64(jpeg(40)) + "A", 0, 1),
        ("overviewImage", base64(jpeg(41)) + "AAAA", 0, 1),
        ("overviewImage", base64(Array("no picture".utf8)), 0, 1),
        ("overviewImage", base64([0x89, 0x50, 0x4E, 0x47, 0x0D]), 0, 1),
        ("overviewImage", "not base 64!", 0, 1),
        ("overviewImage", "", 0, 1),
    ]

    @Test(
        "in a field: what can't be kept is dropped and counted, and the read stays",
        arguments: fields.indices
    )
    func fieldsOfReads(row: Int) throws {
        let (field, text, kept, dropped) = Self.fields[row]
        let rules = FeedRules(images: Self.rules)
        // The second and third line take the way of usual lines.
        let lines = (1...3).map { Self.line($0, ",\"\(field)\":\"\(text)\"") }.joined(separator: "\n")
        let feed = Self.decode([Array(lines.utf8)], .ndjson, Self.register, rules)
        #expect(feed.reads.count == 3)
        #expect(feed.images == 3)
        #expect(feed.pictures.count == 3 * kept)
        #expect(feed.imagesDropped == 3 * dropped)
        #expect(feed.droppedFields == 0)
        #expect(feed.pictureBytes == feed.pictures.reduce(0) { $0 + $1.jpeg.count })
        for (picture, read) in zip(feed.pictures, feed.reads) {
            #expect(picture.vrm == read.vrm && picture.captured == read.captured)
            #expect(picture.kind == (field == "plateImage" ? .plate : .overview))
            #expect(picture.jpeg.prefix(3) == [0xFF, 0xD8, 0xFF])
        }
        guard !text.isEmpty else { return }
        let table = "force,camera,vrm,captured,\(field)\n43,43-1,AB27CDE,2026-11-20T06:00:01Z,\"\(text)\"\n"
        let csv = Self.decode([Array(table.utf8)], .csv, Self.register, rules)
        #expect(csv.reads.count == 1 && csv.images == 1)
        #expect(csv.pictures.first?.jpeg == feed.pictures.first?.jpeg)
    }

    @Test("kinds that are not kept are counted and nothing more; escapes are resolved")
    func kinds() {
        let both =
            ",\"plateImage\":\"\(Self.base64(Self.jpeg(90)))\",\"overviewImage\":\"\(Self.base64(Self.jpeg(900, 0xFF)).replacing("/", with: "\\/"))\""
        for (rules, kinds) in [
            (ImageRules(), []), (ImageRules(plateMax: 100), [ImageKind.plate]),
            (ImageRules(overviewMax: 900), [.overview]), (Self.rules, [.plate, .overview]),
        ] as [(ImageRules, [ImageKind])] {
            let feed = Self.decode(
                [Array(Self.line(1, both).utf8)],
                .ndjson,
                Self.register,
                FeedRules(images: rules)
            )
            #expect(feed.images == 2)
            #expect(feed.imagesDropped == 0)
            #expect(feed.pictures.map(\.kind) == kinds)
            if kinds.contains(.overview) { #expect(feed.pictures.last?.jpeg == Self.jpeg(900, 0xFF)) }
        }
        let number = Self.decode(
            [Array(Self.line(1, ",\"plateImage\":7").utf8)],
            .ndjson,
            Self.register,
            FeedRules(images: Self.rules)
        )
        #expect(number.reads.count == 1 && number.images == 0 && number.droppedFields == 1)
    }

    // MARK: - Multipart bodies

    private static func part(_ name: String, _ type: String, _ content: [UInt8]) -> [UInt8] {
        Array(
            "--MIME\r\nContent-Disposition: form-data; name=\"\(name)\"\r\nContent-Type: \(type)\r\n\r\n".utf8
        )
            + content + Array("\r\n".utf8)
    }

    private static func document(_ mark: String) -> [UInt8] {
        part("anpr.xml", "application/xml", Array(VendorSample.hikvision(mark).utf8))
    }

    private static let plate = part("licensePlatePicture.jpg", "image/jpeg", jpeg(80, 1))
    private static let scene = part("detectionPicture.jpg", "image/jpeg", jpeg(800, 2))
    private static let end = Array("--MIME--\r\n".utf8)

    /// Parts, and the marks and kinds of what is kept.
    private static let bodies: [(name: String, body: [UInt8], kept: [String], dropped: Int)] = [
        ("behind", document("AB27CDE") + plate + scene + end, ["AB27CDE plate", "AB27CDE overview"], 0),
        ("before", scene + plate + document("AB27CDE") + end, ["AB27CDE overview", "AB27CDE plate"], 0),
        (
            "one event after the other", document("AB27CDE") + plate + document("XY99ZZZ") + scene + end,
            ["AB27CDE plate", "XY99ZZZ overview"], 0
        ),
        (
            "two bodies", document("AB27CDE") + plate + end + scene + document("XY99ZZZ") + end,
            ["AB27CDE plate", "XY99ZZZ overview"], 0
        ),
        ("of a refused document", document("A!") + plate + end, [], 1),
        (
            "behind a broken one",
            document("AB27CDE") + part("x.xml", "application/xml", Array("<a><b>".utf8)) + plate + end, [], 1
        ),
        ("of no document", plate + end, [], 1),
        ("of a heartbeat", document("unknown") + scene + end, [], 1),
        ("too long", document("AB27CDE") + part("plate.jpg", "image/jpeg", jpeg(101)) + end, [], 1),
        (
            "no JPEG", document("AB27CDE") + part("plate.png", "image/png", [0x89, 0x50, 0x4E, 0x47]) + end,
            [], 1
        ),
    ]

    @Test("in multipart bodies: of the document before it, or none", arguments: bodies.indices)
    func multipart(row: Int) {
        let (name, body, kept, dropped) = Self.bodies[row]
        let rules = VendorSample.rules { $0.images = Self.rules }
        let whole = Self.decode([body], .hikvision, VendorSample.register, rules)
        #expect(whole.pictures.map { "\($0.vrm.text) \($0.kind.name)" } == kept, "\(name)")
        #expect(whole.imagesDropped == dropped, "\(name)")
        for picture in whole.pictures {
            #expect(picture.jpeg == (picture.kind == .plate ? Self.jpeg(80, 1) : Self.jpeg(800, 2)))
        }
        // However it is cut.
        var random = SeededRandom(seed: UInt64(row))
        for _ in 0..<20 {
            let pieces = FeedBytes.cut(body, pieceMax: 300, &random)
            let cut = Self.decode(pieces, .hikvision, VendorSample.register, rules)
            #expect(cut.pictures == whole.pictures && cut.imagesDropped == dropped, "\(name)")
            #expect(cut.images == whole.images)
        }
    }

    @Test("in the documents of vendors who write them there")
    func documents() {
        let image = Self.base64(Self.jpeg(60))
        let text = VendorSample.tattile().replacing("/9j=", with: image)
        let rules = VendorSample.rules {
            $0.images = Self.rules
            $0.timeZone = VendorSample.winter
        }
        let feed = Self.decode([Array(text.utf8)], .tattile, VendorSample.register, rules)
        #expect(feed.pictures.map(\.jpeg) == [Self.jpeg(60)])
        #expect(feed.pictures.first?.captured == feed.reads.first?.captured)
    }
}
