import ANPRModel

/// Writes reads as canonical NDJSON, one line each, for comparison.
///
/// In the order of the canonical format, without what is absent; places are left out, for the register has them.
struct ReadNDJSON {
    private var cameras: [[UInt8]] = []
    private var times = TimestampWriter()

    init(register: CameraRegister) {
        for camera in register.cameras {
            let force = JSONText.quoted(camera.force)
            let name = JSONText.quoted(camera.name)
            cameras.append(Array("{\"force\":\(force),\"camera\":\(name),\"vrm\":\"".utf8))
        }
    }

    /// Appends a read's line, line feed included.
    mutating func append(_ read: Read, to out: inout ByteWriter) {
        let opening = cameras[Int(read.camera)]
        out.reserve(opening.count + 160)
        out.put(opening, 0..<opening.count)
        out.put(read.vrm)
        out.reserve(140)
        out.put("\",\"captured\":\"")
        let time = times.form(read.captured)
        out.put(word: time.head)
        out.put(word: time.middle)
        out.put(word: time.tail)
        out.put("\"")
        if read.confidence >= 0 {
            out.put(",\"confidence\":")
            out.put(decimal: Int(read.confidence))
        }
        out.reserve(100)
        if let direction = Direction(rawValue: read.direction) {
            out.put(",\"direction\":\"")
            out.put(text: direction.text)
            out.put("\"")
        }
        if read.lane >= 0 {
            out.put(",\"lane\":")
            out.put(decimal: Int(read.lane))
        }
        out.reserve(60)
        if read.speed > 0 {
            let tenths = Int(read.speed) - 1
            out.put(",\"speed\":")
            out.put(decimal: tenths / 10)
            if tenths % 10 > 0 {
                out.reserve(40)
                out.put(UInt8(ascii: "."))
                out.put(decimal: tenths % 10)
            }
        }
        out.reserve(2)
        out.put("}\n")
    }
}
