import ANPRModel
import FeedDecoding
import TestSupport

/// Payloads shaped like those of real cameras, with invented values, and the cameras they name.
enum VendorSample {
    static let cameras = [
        "02:ab/1", "10.0.0.5/2", "TC-7", "ACC8-1", "1414799", "camera-1", "M25 North", "MS-1", "T100", "S1",
        "12/3/45",
    ]

    static let register = CameraRegister(
        cameras.map { Camera(force: "43", name: $0) } + [Camera(force: "45", name: "OTHER")]
    )

    /// The moment 2027-03-01T07:15:22.310Z.
    static let captured: Int64 = 1_803_885_322_310

    static let winter = LocalTimeZone([LocalTimeZone.Change(from: .distantPast, offset: 3_600_000)])

    static func rules(camera: String? = nil, _ change: (inout FeedRules) -> Void = { _ in }) -> FeedRules {
        var rules = FeedRules(force: "43", camera: camera)
        change(&rules)
        return rules
    }

    static func decode(_ text: String, _ format: FeedFormat, _ rules: FeedRules = VendorSample.rules())
        -> VendorFeed
    {
        decode([Array(text.utf8)], format, rules)
    }

    static func decode(_ pieces: [[UInt8]], _ format: FeedFormat, _ rules: FeedRules) -> VendorFeed {
        var decoder = FeedDecoder(format: format, register: register, rules: rules)
        var buffer = FeedBuffer(capacity: 64)
        var batch = DecodedBatch()
        for piece in pieces {
            buffer.append(piece)
            decoder.decode(&buffer, isFinal: false, into: &batch)
        }
        decoder.decode(&buffer, isFinal: true, into: &batch)
        return VendorFeed(batch, decoder.position)
    }

    static func hikvision(
        _ vrm: String = "AB27CDE",
        dateTime: String = "2027-03-01T07:15:22.310+00:00",
        more: String = ""
    ) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">
        <ipAddress>10.0.0.5</ipAddress><macAddress>02:ab</macAddress><channelID>1</channelID>
        <dateTime>\(dateTime)</dateTime><eventType>ANPR</eventType><channelName>Camera 01 &amp; &#x32;</channelName>
        <!-- > </EventNotificationAlert> -->
        <ANPR><licensePlate>\(vrm)</licensePlate><line>2</line><direction>reverse</direction>
        <confidenceLevel>97</confidenceLevel><vehileModel>7</vehileModel><note><![CDATA[</ANPR> {]]></note>\(more)</ANPR>
        <UUID>u1</UUID><isDataRetransmission>true</isDataRetransmission>
        </EventNotificationAlert>

        """
    }

    static func multipart(_ document: String, type: String = "application/xml", boundary: String = "MIME")
        -> String
    {
        "--\(boundary)\r\nContent-Disposition: form-data; name=\"anpr.xml\"\r\nContent-Type: \(type)\r\n\r\n\(document)\r\n"
            + "--\(boundary)\r\nContent-Disposition: form-data; name=\"p\"; filename=\"p.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
            + "\u{1}\n{\n<?xml \n--no\r\n\u{2}\r\n"
            + "--\(boundary)\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n\r\n--\(boundary)--\r\n"
    }

    static let dahuaLines = """
        Events[0].EventBaseInfo.Code=TrafficJunction
        Events[0].UTC=1803888922
        Events[0].UTCMS=310
        Events[0].RealUTC=1803885322
        Events[0].EventID=77
        Events[0].Lane=3
        Events[0].Speed=48
        Events[0].Object.ObjectType=Plate
        Events[0].Object.Confidence=88
        Events[0].TrafficCar.PlateNumber=AB27 CDE
        Events[0].TrafficCar.MachineName=TC-7
        Events[0].TrafficCar.DrivingDirection[0]=Approach
        Events[0].TrafficCar.DrivingDirection[1]=Town

        """

    static func axis(_ vrm: String = "AB27CDE", state: String = "lost", more: String = "") -> String {
        #"{"plateUTF8":"\#(vrm)","plateConfidence":"0.905","carState":"\#(state)","carID":"9","#
            + #""capture_timestamp":"1803885322310","camera_info":{"SerialNumber":"ACC8-1"},"carMoveDirection":"out","#
            + #""geotag":{"lat":51.5,"lon":-1.25},"plateCountry":"GB"\#(more)}"#
    }

    static func rekor(_ more: String = "", epoch: String = "1803885322310") -> String {
        #"{"data_type":"alpr_group","epoch_start":\#(epoch),"camera_id":1414799,"best_uuid":"A1-9-2","#
            + #""best_plate_number":"AB27CDE","best_confidence":92.1,"travel_direction":181.5,"country":"gb","#
            + #""best_plate":{"plate":"AB27CDE","coordinates":[{"x":1,"y":2}]},"is_parked":false\#(more)}"#
    }

    static func plateRecognizer(_ results: String, event: String = "recognition") -> String {
        #"{"hook":{"event":"\#(event)","id":"camera-1"},"data":{"camera_id":"camera-1","#
            + #""timestamp":"2027-03-01T07:15:22.310000Z","results":[\#(results)]}}"#
    }

    static let plateRecognizerResult =
        #"{"plate":"ab27cde","score":0.575,"region":{"code":"gb"},"direction":210,"box":{"xmin":1}}"#

    static func genetec(_ date: String = "01/03/2027") -> String {
        #"{"Plate":"AB27CDE","CameraName":"M25 North","DateUtc":"\#(date)","TimeUtc":"07:15:22.310","#
            + #""Attributes":{"Confidence Score":"93","Relative Motion":"Closer"},"LatitudeY":"51.5","LongitudeX":"-1.25","Guid":"g-1"}"#
    }

    static func milesight(_ plate: String = "AB27CDE") -> String {
        #"{"device":"MS-1","time":"2027-03-01 08:15:22","time_msec":"2027-03-01 08:15:22.310","plate":"\#(plate)","#
            + #""type":"Visitor","speed":"51","direction":"Away","confidence":"91","region":"GBR","Vehicle Brand":"-"}"#
    }

    static func tattile(_ root: String = "Transit", vrm: String = "AB27CDE", score: String = "905") -> String
    {
        "<\(root)><DATE>2027-03-01</DATE><TIME>08-15-22-310</TIME><PLATE_STRING>\(vrm)</PLATE_STRING>"
            + "<OCRSCORE>\(score)</OCRSCORE><DIRECTION>GOAWAY</DIRECTION><DEVICE_SN>T100</DEVICE_SN>"
            + "<LANE_ID>2</LANE_ID><SPEED>61.5</SPEED><TRANSIT_ID>5</TRANSIT_ID><IMAGE_OCR>/9j=</IMAGE_OCR></\(root)>"
    }

    static let tattileCSV =
        "EVENT_DESC;DATE;TIME;PLATE_NOT_READ;PLATE_STRING;OCRSCORE;SPEED;DIRECTION;DEVICE_SN;TRANSIT_ID\r\n"
        + "OCR;01/03/2027;08-15-22-310;0;AB27CDE;91;61.5;GOAWAY;T100;5\r\n"
        + "OCR;01/03/2027;08-15-22-400;1;;0;61.5;GOAWAY;T100;6\r\n"

    static func survision(_ vrm: String = "AB27CDE") -> String {
        #"{"anpr":{"@date":"1803885322310","@id":"4","decision":{"@plate":"\#(vrm)","@reliability":"84","@context":"gb"}}}"#
    }

    static func bof2(_ vrm: String = "AB27CDE", at time: String = "2027-03-01T07:15:22.310Z") -> String {
        "s3cr3t|unit7|\(vrm)|12|3|45|\(time)|51.5|-1.25|||||93|true"
    }
}

/// All that decoding gave.
struct VendorFeed: Equatable {
    var reads: [Read]
    var details: [ReadDetails]
    var refusals: [RefusedRecord]
    var received: Int
    var rejected: Int
    var ignored: Int
    var dropped: Int
    var images: Int
    var position: FeedPosition

    init(_ batch: DecodedBatch, _ position: FeedPosition) {
        reads = batch.reads
        details = batch.details
        refusals = batch.refusals
        (received, rejected, ignored) = (batch.received, batch.rejected, batch.ignored)
        (dropped, images) = (batch.droppedFields, batch.images)
        self.position = position
    }

    var marks: [String] { reads.map(\.vrm.text) }
    var reasons: [ReadRefusal] { refusals.map(\.reason) }
}

/// A read as a table states it.
struct ExpectedRead: Equatable {
    var vrm = "AB27CDE"
    var camera: String
    var captured = VendorSample.captured
    var confidence: Int8
    var direction: Direction?
    var lane: Int8 = -1
    var speed: Double?
    var eventID: String?

    init(
        camera: String,
        confidence: Int8,
        direction: Direction? = nil,
        lane: Int8 = -1,
        speed: Double? = nil,
        eventID: String? = nil
    ) {
        self.camera = camera
        self.confidence = confidence
        self.direction = direction
        self.lane = lane
        self.speed = speed
        self.eventID = eventID
    }

    init(_ read: Read, _ details: [ReadDetails]) {
        vrm = read.vrm.text
        camera = VendorSample.register.cameras[Int(read.camera)].name
        captured = read.captured.milliseconds
        confidence = read.confidence
        direction = Direction(rawValue: read.direction)
        lane = read.lane
        speed = read.speed == 0 ? nil : Double(read.speed - 1) / 10
        eventID = read.details == 0 ? nil : details[Int(read.details) - 1].eventID
    }
}
