import ANPRModel
import FeedDecoding

/// Writes simulated reads, and rubbish, in a feed's format: CSV, or else NDJSON.
struct SimulatedRecordWriter {
    private(set) var bytes: [UInt8] = []
    private let format: FeedFormat
    private let network: SimulatedNetwork
    private let member: Int
    private var times = TimestampWriter()

    init(_ format: FeedFormat, network: SimulatedNetwork, member: Int) {
        self.format = format
        self.network = network
        self.member = member
        if format == .csv { put("captured,force,camera,vrm,confidence,direction,lane,speed,make\r\n") }
    }

    mutating func write(_ read: SimulatedRead, _ random: inout SeededRandom) {
        let camera = network.sites[read.site].cameras[read.camera].camera
        let vrm = dressed(read.vrm, &random)
        let captured = time(read.captured, &random)
        switch format {
        case .csv: writeCSV(read, camera, vrm, captured, &random)
        default: writeJSON(read, camera, vrm, captured, &random)
        }
    }

    private mutating func writeJSON(
        _ read: SimulatedRead,
        _ camera: Camera,
        _ vrm: String,
        _ captured: String,
        _ random: inout SeededRandom
    ) {
        var members = [
            "\"force\":\"\(camera.force)\"",
            "\"camera\":\"\(camera.name)\"",
            "\"vrm\":\"\(vrm)\"",
            "\"captured\":\"\(captured)\"",
            "\"lat\":\(SimulatedFiles.degrees(camera.latitude))",
            "\"lon\":\(SimulatedFiles.degrees(camera.longitude))",
        ]
        if let confidence = read.confidence { members.append("\"confidence\":\(confidence)") }
        if random.chance(perMille: 900), let direction = camera.direction, let lane = camera.lane {
            members.append("\"direction\":\"\(direction.text)\"")
            members.append("\"lane\":\(lane)")
        }
        if let speed = read.speed { members.append("\"speed\":\(speed / 10).\(speed % 10)") }
        if random.chance(perMille: 50) {
            members.append("\"make\":{\"name\":\"Caf\u{E9} \\u00e9\",\"tags\":[1,null]}")
        }
        if random.chance(perMille: 50) { members.shuffle(using: &random) }
        put("{" + members.joined(separator: ",") + "}\n")
    }

    private mutating func writeCSV(
        _ read: SimulatedRead,
        _ camera: Camera,
        _ vrm: String,
        _ captured: String,
        _ random: inout SeededRandom
    ) {
        let direction = camera.direction?.text ?? ""
        let speed = read.speed.map { "\($0 / 10).\($0 % 10)" } ?? ""
        let make = random.chance(perMille: 50) ? "\"Example, \"\"van\"\"\"" : ""
        let confidence = read.confidence.map(String.init) ?? ""
        let lane = camera.lane.map { String($0) } ?? ""
        put(
            "\(captured),\(camera.force),\(camera.name),\(vrm),\(confidence),\(direction),\(lane),\(speed),\(make)\r\n"
        )
    }

    /// Some cameras send marks in lower case or with a space.
    private func dressed(_ vrm: String, _ random: inout SeededRandom) -> String {
        switch random.below(200) {
        case 0: vrm.lowercased()
        case 1: vrm.prefix(4) + " " + vrm.dropFirst(4)
        default: vrm
        }
    }

    /// Mostly UTC; now and then the same moment with an offset, or with more digits than are kept.
    private mutating func time(_ milliseconds: Int64, _ random: inout SeededRandom) -> String {
        switch random.below(100) {
        case 0:
            let local = TimestampWriter.text(Timestamp(milliseconds: milliseconds + 3_600_000))
            return local.dropLast() + "+01:00"
        case 1: return TimestampWriter.text(Timestamp(milliseconds: milliseconds)).dropLast() + "789Z"
        default: return TimestampWriter.text(Timestamp(milliseconds: milliseconds))
        }
    }

    /// One record that can't be a read, of any of the kinds that real feeds bring.
    mutating func writeGarbage(_ random: inout SeededRandom) {
        let site = network.sites.first { $0.cameras.contains { $0.member == member } }
        guard let camera = site?.cameras.first(where: { $0.member == member })?.camera else { return }
        let captured = TimestampWriter.text(Timestamp(milliseconds: SimulatedTraffic.start))
        let vrm = SimulatedTraffic.mark(&random)
        switch format {
        case .csv:
            let lines = [
                "\(captured),\(camera.force),\(camera.name)",
                "2026-11-20T25:00:00Z,\(camera.force),\(camera.name),\(vrm),80,,,,",
                "\(captured),\(camera.force),NO-SUCH-CAMERA,\(vrm),80,,,,",
                "\(captured),\(camera.force),\(camera.name),NO/PLATE,80,,,,",
                "\(captured),99,\(camera.name),\(vrm),80,,,,",
                "\(captured),\(camera.force),\(camera.name),\(vrm),high,,,,",
            ]
            put(random.one(of: lines) + "\r\n")
        default:
            let opening = "{\"force\":\"\(camera.force)\",\"camera\":\"\(camera.name)\""
            let lines = [
                "\(opening),\"vrm\":\"\(vrm.prefix(3))",
                "\(opening),\"vrm\":\(random.below(1000)),\"captured\":\"\(captured)\"}",
                "\(opening),\"vrm\":\"\(vrm)\",\"captured\":\"yesterday\"}",
                "\(opening),\"vrm\":\"\(vrm)\",\"captured\":\"2026-11-20T06:00:00\"}",
                "{\"force\":\"\(camera.force)\",\"camera\":\"NO-SUCH-CAMERA\",\"vrm\":\"\(vrm)\",\"captured\":\"\(captured)\"}",
                "{\"force\":\"99\",\"camera\":\"\(camera.name)\",\"vrm\":\"\(vrm)\",\"captured\":\"\(captured)\"}",
                "\(opening),\"vrm\":\"\(vrm)\",\"captured\":\"\(captured)\",\"confidence\":101}",
                "[1,2,3]",
                "\(opening),\"vrm\":\"\(vrm)\",\"captured\":\"\(captured)\",\"note\":\"#\"}",
            ]
            let index = random.below(lines.count)
            // The last kind carries a byte that is no UTF-8.
            put(lines[index].utf8.map { index == lines.count - 1 && $0 == UInt8(ascii: "#") ? 0xFF : $0 })
            put("\n")
        }
    }

    private mutating func put(_ text: String) { bytes += text.utf8 }
    private mutating func put(_ more: [UInt8]) { bytes += more }
}
