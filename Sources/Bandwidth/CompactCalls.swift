import ANPRModel

/// How long the UK back office's compact calls are: `sendCompoundCapture` with compact captures, for comparison.
///
/// A capture is one line of fifteen positions between bars: signature, username, mark, feed, source, camera, time, latitude,
/// longitude, preset, pan, tilt, zoom, confidence, and whether the vehicle came towards the camera. Assumed are a signature of
/// six characters and a username of five, numbers for feed, source and camera, places of four decimals, no presets, and
/// requests over one kept connection with the headers that a SOAP client sends. Answers are not counted.
struct CompactCalls {
    /// The most captures in a call.
    static let countMax = 50

    private static let head = """
        POST /bof2/services/inputcapturewebservice HTTP/1.1\r
        Host: bof.example.police.uk\r
        User-Agent: reader/1.0\r
        Content-Type: text/xml; charset=utf-8\r
        SOAPAction: ""\r
        Connection: keep-alive\r
        Content-Length: 
        """
    private static let envelope = """
        <?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope \
        xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:b="urn:bof2"><soapenv:Body>\
        <b:sendCompoundCapture></b:sendCompoundCapture></soapenv:Body></soapenv:Envelope>
        """
    private static let around = "<captures></captures>"

    /// What each camera's captures take, but for the mark and the confidence.
    private let fixed: [Int]

    init(register: CameraRegister) {
        fixed = register.cameras.indices.map { index in
            Self.capture("", CameraIndex(index), register, confidence: nil).utf8.count
                + Self.around.utf8.count
        }
    }

    /// What a read takes in a call.
    func length(_ read: Read) -> Int {
        let digits = read.confidence < 0 ? 0 : read.confidence < 10 ? 1 : read.confidence < 100 ? 2 : 3
        return fixed[Int(read.camera)] + read.vrm.length + digits
    }

    /// What a call takes around captures of so many bytes.
    static func callLength(_ captures: Int) -> Int {
        let body = captures + envelope.utf8.count
        return head.utf8.count + String(body).utf8.count + "\r\n\r\n".utf8.count + body
    }

    /// A capture as it is sent, at some time.
    static func capture(
        _ vrm: String,
        _ camera: CameraIndex,
        _ register: CameraRegister,
        confidence: Int?
    ) -> String {
        let entry = register.cameras[Int(camera)]
        let place =
            entry.latitude == Read.noPosition ? "|" : "\(degrees(entry.latitude))|\(degrees(entry.longitude))"
        let source = register.siteOfCamera[Int(camera)]
        let number = confidence.map { String($0) } ?? ""
        return
            "s3cr3t|unit7|\(vrm)|\(entry.force)|\(source)|\(camera)|2026-11-16T07:15:22.310Z|\(place)|||||\(number)|true"
    }

    private static func degrees(_ value: Int32) -> String {
        let parts = abs(Int(value)) / 1000
        let decimals = String(parts % 10_000)
        return "\(value < 0 ? "-" : "")\(parts / 10_000)."
            + String(repeating: "0", count: 4 - decimals.count) + decimals
    }
}
