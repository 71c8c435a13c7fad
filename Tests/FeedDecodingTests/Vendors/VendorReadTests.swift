import ANPRModel
import FeedDecoding
import TestSupport
import Testing

@Suite("Reads of vendors' formats")
struct VendorReadTests {
    struct Row: CustomTestStringConvertible, Sendable {
        var name: String
        var format: FeedFormat
        var feed: String
        var rules: FeedRules = VendorSample.rules()
        var camera: String
        var confidence: Int8
        var direction: Direction?
        var lane: Int8 = -1
        var speed: Double?
        var eventID: String?
        var ignored = 0
        var images = 0

        var testDescription: String { name }
    }

    static let zoned = VendorSample.rules { $0.timeZone = VendorSample.winter }
    static let dayFirst = VendorSample.rules {
        $0.timeZone = VendorSample.winter
        $0.dateOrder = .dayFirst
    }

    static let rows: [Row] = [
        Row(
            name: "hikvision",
            format: .hikvision,
            feed: VendorSample.hikvision(),
            camera: "02:ab/1",
            confidence: 97,
            direction: .towards,
            lane: 2,
            eventID: "u1"
        ),
        Row(
            name: "hikvision in multipart",
            format: .hikvision,
            feed: VendorSample.multipart(VendorSample.hikvision()),
            camera: "02:ab/1",
            confidence: 97,
            direction: .towards,
            lane: 2,
            eventID: "u1",
            images: 1
        ),
        Row(
            name: "hikvision, a camera the rules name",
            format: .hikvision,
            feed: VendorSample.hikvision("ab-27 cde"),
            rules: VendorSample.rules(camera: "S1"),
            camera: "S1",
            confidence: 97,
            direction: .towards,
            lane: 2,
            eventID: "u1"
        ),
        Row(
            name: "dahua lines",
            format: .dahua,
            feed: "Heartbeat\n\n" + VendorSample.dahuaLines,
            rules: VendorSample.rules { $0.epochIsLocal = true },
            camera: "TC-7",
            confidence: 88,
            direction: .towards,
            lane: 3,
            speed: 48,
            eventID: "77",
            ignored: 1
        ),
        Row(
            name: "dahua lines in multipart",
            format: .dahua,
            feed: VendorSample.multipart(VendorSample.dahuaLines, type: "text/plain"),
            camera: "TC-7",
            confidence: 88,
            direction: .towards,
            lane: 3,
            speed: 48,
            eventID: "77",
            images: 1
        ),
        Row(
            name: "dahua RPC with local time",
            format: .dahua,
            feed: #"{"method":"client.notifyEventStream","params":{"eventList":[{"Code":"TrafficJunction","#
                + #""Data":{"UTC":1803888922,"UTCMS":310,"Object":{"ObjectType":"Plate","Text":"AB27CDE","Confidence":70},"#
                + #""TrafficCar":{"MachineName":"TC-7","PlateNumber":""}}},{"Code":"VideoMotion","Data":{}}]}}"#,
            rules: VendorSample.rules {
                $0.epochIsLocal = true
                $0.timeZone = VendorSample.winter
            },
            camera: "TC-7",
            confidence: 70,
            ignored: 1
        ),
        Row(
            name: "dahua ITSAPI",
            format: .dahua,
            feed: #"{"Active":"keepAlive"}{"Picture":{"Plate":{"PlateNumber":"AB27CDE","Confidence":66},"#
                + #""SnapInfo":{"AccurateTime":"2027-03-01 08:15:22.310","DeviceID":"TC-7","LaneNo":1}}}"#,
            rules: zoned,
            camera: "TC-7",
            confidence: 66,
            lane: 1,
            ignored: 1
        ),
        Row(
            name: "axis",
            format: .axis,
            feed: VendorSample.axis("AB27CDO", state: "new") + "\n"
                + VendorSample.axis("AB27CDO", state: "UPDATE") + VendorSample.axis(),
            camera: "ACC8-1",
            confidence: 91,
            direction: .away,
            eventID: "9",
            ignored: 2
        ),
        Row(
            name: "rekor group",
            format: .rekor,
            feed: #"{"data_type":"heartbeat","agent_uid":"A1"}"# + VendorSample.rekor(#","is_preview":true"#)
                + VendorSample.rekor(),
            camera: "1414799",
            confidence: 92,
            direction: .south,
            eventID: "A1-9-2",
            ignored: 2
        ),
        Row(
            name: "rekor results",
            format: .rekor,
            feed:
                #"{"data_type":"alpr_results","epoch_time":1803885322.310,"camera_id":"1414799","uuid":"x","#
                + #""results":[{"plate":"AB27CDE","confidence":80.4,"candidates":[]}]}"#,
            camera: "1414799",
            confidence: 80,
            eventID: "x"
        ),
        Row(
            name: "plate recognizer",
            format: .plateRecognizer,
            feed: VendorSample.plateRecognizer("", event: "heartbeat")
                + VendorSample.plateRecognizer(VendorSample.plateRecognizerResult),
            camera: "camera-1",
            confidence: 58,
            direction: .southWest,
            ignored: 1
        ),
        Row(
            name: "plate recognizer, a vehicle's plate in a form",
            format: .plateRecognizer,
            feed: VendorSample.multipart(
                VendorSample.plateRecognizer(
                    #"{"plate":{"type":"Plate","score":0.3,"props":{"plate":[{"value":"ab27cde","score":0.9}]}}}"#
                ),
                type: "text/plain"
            ),
            camera: "camera-1",
            confidence: 90,
            images: 1
        ),
        Row(
            name: "plate recognizer CSV",
            format: .plateRecognizer,
            feed: "timestamp,plate,score,dscore,file,box,direction\n"
                + "2027-03-01 07:15:22.310000+00:00,ab27cde,0.575,0.7,f.jpg,\"{'xmin': 1, 'ymin': 2}\",210\n",
            rules: VendorSample.rules(camera: "camera-1"),
            camera: "camera-1",
            confidence: 58,
            direction: .southWest
        ),
        Row(
            name: "genetec",
            format: .genetec,
            feed: VendorSample.genetec(),
            rules: dayFirst,
            camera: "M25 North",
            confidence: 93,
            direction: .towards,
            eventID: "g-1"
        ),
        Row(
            name: "genetec, month first",
            format: .genetec,
            feed: VendorSample.genetec("03/01/2027"),
            rules: VendorSample.rules { $0.dateOrder = .monthFirst },
            camera: "M25 North",
            confidence: 93,
            direction: .towards,
            eventID: "g-1"
        ),
        Row(
            name: "genetec XML",
            format: .genetec,
            feed: "<AutoVu><Plate>AB27CDE</Plate><DateUtc>2027:03:01</DateUtc><TimeUtc>07:15:22.310</TimeUtc>"
                + "<CameraName>M25 North</CameraName><ConfidenceScore>93</ConfidenceScore></AutoVu>",
            camera: "M25 North",
            confidence: 93
        ),
        Row(
            name: "milesight",
            format: .milesight,
            feed: #"{"device":"MS-1","time":"2027-03-01 08:15:22","count":4}"# + VendorSample.milesight(),
            rules: zoned,
            camera: "MS-1",
            confidence: 91,
            direction: .away,
            speed: 51,
            ignored: 1
        ),
        Row(
            name: "tattile",
            format: .tattile,
            feed: VendorSample.tattile(),
            rules: zoned,
            camera: "T100",
            confidence: 91,
            direction: .away,
            lane: 2,
            speed: 61.5,
            eventID: "5",
            images: 1
        ),
        Row(
            name: "tattile, another root and percent",
            format: .tattile,
            feed: VendorSample.tattile("ns:Passage", score: "91"),
            rules: zoned,
            camera: "T100",
            confidence: 91,
            direction: .away,
            lane: 2,
            speed: 61.5,
            eventID: "5",
            images: 1
        ),
        Row(
            name: "tattile CSV",
            format: .tattile,
            feed: VendorSample.tattileCSV,
            rules: dayFirst,
            camera: "T100",
            confidence: 91,
            direction: .away,
            speed: 61.5,
            eventID: "5",
            ignored: 1
        ),
        Row(
            name: "survision",
            format: .survision,
            feed: #"{"infos":{"sensor":1}}"# + VendorSample.survision(),
            rules: VendorSample.rules(camera: "S1"),
            camera: "S1",
            confidence: 84,
            eventID: "4",
            ignored: 1
        ),
        Row(
            name: "bof2",
            format: .bof2,
            feed: VendorSample.bof2() + "\r\n",
            camera: "12/3/45",
            confidence: 93,
            direction: .towards
        ),
    ]

    @Test("A payload gives its read", arguments: rows)
    func read(_ row: Row) {
        let feed = VendorSample.decode(row.feed, row.format, row.rules)
        let expected = ExpectedRead(
            camera: row.camera,
            confidence: row.confidence,
            direction: row.direction,
            lane: row.lane,
            speed: row.speed,
            eventID: row.eventID
        )
        #expect(feed.reads.map { ExpectedRead($0, feed.details) } == [expected])
        #expect(feed.refusals.map(Refused.init) == [])
        #expect(feed.received == 1)
        #expect(feed.ignored == row.ignored)
        #expect(feed.images == row.images)
        #expect(feed.dropped == 0)
        #expect(feed.position.offset == UInt64(row.feed.utf8.count))
    }

    @Test(
        "Words for no plate make no read and no refusal",
        arguments: ["unknown", "UNKNOWN", "-", "", "NoPlate"]
    )
    func noPlate(word: String) {
        for feed in [
            VendorSample.decode(VendorSample.hikvision(word), .hikvision),
            VendorSample.decode(VendorSample.axis(word), .axis),
            VendorSample.decode(VendorSample.milesight(word), .milesight),
            VendorSample.decode(VendorSample.survision(word), .survision, VendorSample.rules(camera: "S1")),
            VendorSample.decode(VendorSample.tattile(vrm: word), .tattile),
        ] {
            #expect(feed.reads.isEmpty)
            #expect(feed.refusals.isEmpty)
            #expect([feed.received, feed.ignored] == [0, 1])
        }
    }

    @Test("A position beside the register's is kept")
    func position() {
        let feed = VendorSample.decode(VendorSample.axis(), .axis)
        #expect(feed.details.first?.latitude == 515_000_000)
        #expect(feed.details.first?.longitude == -12_500_000)
    }
}
