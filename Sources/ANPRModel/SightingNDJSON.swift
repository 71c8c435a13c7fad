/// Writes sightings as the NDJSON lines that every command gives out.
///
/// Times are UTC with three decimals, absent fields are left out, contributions are ordered by (force, camera).
/// `speed` appears where the best read had one, `late` and `revision` where they apply; `variants` name the sightings that
/// are probably of the same vehicle, `alternates` the marks of those that were merged into this one.
///
/// - Complexity: a line of some 400 bytes in well under a microsecond; no allocation once the buffer has grown.
public struct SightingNDJSON {
    private let register: CameraRegister
    /// `"force":"43","camera":"43-0000-1"` of each camera, one after the other, and where each ends.
    private var cameraText: [UInt8] = []
    private var cameraEnds: [Int] = []
    private var siteText: [UInt8] = []
    private var siteEnds: [Int] = []
    private var times = TimestampWriter()

    /// Prepares the fixed texts of a register.
    public init(register: CameraRegister) {
        self.register = register
        for camera in register.cameras {
            let force = JSONText.quoted(camera.force)
            let name = JSONText.quoted(camera.name)
            cameraText += Array("\"force\":\(force),\"camera\":\(name)".utf8)
            cameraEnds.append(cameraText.count)
        }
        for site in register.sites {
            siteText += Array(JSONText.quoted(site).utf8)
            siteEnds.append(siteText.count)
        }
    }

    /// Appends one line, line feed included.
    ///
    /// - Parameter isApproximate: whether the sighting is given for its vehicle's sake, not for its mark.
    public mutating func append(
        _ index: Int,
        of batch: borrowing SightingBatch,
        isApproximate: Bool = false,
        to out: inout ByteWriter
    ) {
        let sighting = batch.sightings[index]
        let site = register.siteOfCamera[Int(sighting.camera)]
        let siteRange = Self.range(siteEnds, Int(site))
        out.reserve(400 + siteRange.count + cameraRange(sighting.camera).count)
        out.put("{\"id\":\"")
        putID(sighting, siteHash: register.siteHash[Int(site)], to: &out)
        out.put("\",\"vrm\":\"")
        out.put(sighting.vrm)
        out.put("\",\"site\":")
        out.put(siteText, siteRange)
        out.put(",\"first\":\"")
        put(sighting.first, to: &out)
        out.put("\",\"last\":\"")
        put(sighting.last, to: &out)
        out.put("\",\"captured\":\"")
        put(sighting.captured, to: &out)
        out.put("\",")
        out.put(cameraText, cameraRange(sighting.camera))
        putBest(sighting, to: &out)
        out.put(",\"contributions\":[")
        var separated = false
        for place in batch.range(index) {
            out.reserve(160 + cameraRange(batch.contributions[place].camera).count)
            if separated { out.put(UInt8(ascii: ",")) }
            put(batch.contributions[place], to: &out)
            separated = true
        }
        out.reserve(64)
        out.put("]")
        if sighting.isLate { out.put(",\"late\":true") }
        if sighting.revision > 0 {
            out.put(",\"revision\":")
            out.put(decimal: Int(sighting.revision))
        }
        if !batch.variants.isEmpty { put(batch.variants(of: index), site: site, to: &out) }
        out.reserve(32)
        if isApproximate { out.put(",\"approximate\":true") }
        out.put("}\n")
    }

    private func put(_ variants: ArraySlice<SightingVariant>, site: SiteIndex, to out: inout ByteWriter) {
        out.reserve(40 + 80 * variants.count)
        var separator: StaticString = ",\"variants\":["
        for variant in variants where !variant.isMerged {
            let id = SightingID(
                vrm: variant.vrm,
                siteHash: register.siteHash[Int(site)],
                first: variant.opened
            )
            out.put(separator)
            out.put("{\"id\":\"")
            out.put(hexadecimal: id.high)
            out.put(hexadecimal: id.low)
            out.put("\",\"vrm\":\"")
            out.put(variant.vrm)
            out.put("\"}")
            separator = ","
        }
        if variants.contains(where: { !$0.isMerged }) { out.put("]") }
        separator = ",\"alternates\":["
        for variant in variants where variant.isMerged {
            out.put(separator)
            out.put("\"")
            out.put(variant.vrm)
            out.put("\"")
            separator = ","
        }
        if variants.contains(where: \.isMerged) { out.put("]") }
    }

    private mutating func putBest(_ sighting: Sighting, to out: inout ByteWriter) {
        if sighting.confidence >= 0 {
            out.put(",\"confidence\":")
            out.put(decimal: Int(sighting.confidence))
        }
        if let direction = Direction(rawValue: sighting.direction) {
            out.put(",\"direction\":\"")
            out.put(text: direction.text)
            out.put("\"")
        }
        if sighting.lane >= 0 {
            out.put(",\"lane\":")
            out.put(decimal: Int(sighting.lane))
        }
        if sighting.speed > 0 {
            let tenths = Int(sighting.speed) - 1
            out.reserve(40)
            out.put(",\"speed\":")
            out.put(decimal: tenths / 10)
            if tenths % 10 > 0 {
                out.put(UInt8(ascii: "."))
                out.put(decimal: tenths % 10)
            }
        }
        out.reserve(64)
        out.put(",\"reads\":")
        out.put(decimal: Int(sighting.reads))
        out.reserve(32)
    }

    private mutating func put(_ part: Contribution, to out: inout ByteWriter) {
        out.put("{")
        out.put(cameraText, cameraRange(part.camera))
        out.put(",\"reads\":")
        out.put(decimal: Int(part.reads))
        out.reserve(80)
        out.put(",\"first\":\"")
        put(part.first, to: &out)
        out.put("\"")
        if part.confidence >= 0 {
            out.put(",\"confidence\":")
            out.put(decimal: Int(part.confidence))
            out.reserve(8)
        }
        out.put("}")
    }

    private mutating func put(_ time: Timestamp, to out: inout ByteWriter) {
        let text = times.form(time)
        out.put(word: text.head)
        out.put(word: text.middle)
        out.put(word: text.tail)
    }

    private func putID(_ sighting: Sighting, siteHash: UInt64, to out: inout ByteWriter) {
        let id = SightingID(vrm: sighting.vrm, siteHash: siteHash, first: sighting.opened)
        out.put(hexadecimal: id.high)
        out.put(hexadecimal: id.low)
    }

    private func cameraRange(_ camera: CameraIndex) -> Range<Int> { Self.range(cameraEnds, Int(camera)) }

    private static func range(_ ends: [Int], _ index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }
}

/// JSON's way of writing text.
public enum JSONText {
    /// The text in quotes, with what JSON asks for escaped.
    public static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
