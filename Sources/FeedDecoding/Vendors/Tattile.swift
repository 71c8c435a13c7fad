extension FeedMapping {
    /// Tattile: XML with any root, or CSV with `;`.
    ///
    /// Makers' guides give scores in percent and of up to 999: one of more than 100 is per mille. Times have no zone.
    public static let tattile = FeedMapping(
        containers: [.xml, .csv(delimiter: UInt8(ascii: ";"))],
        ignoredRecords: [MappingPredicate(["PLATE_NOT_READ"], .equals(["1", "true"]))],
        fields: [
            "vrm": [.path("PLATE_STRING")],
            "camera": [.path("DEVICE_SN")],
            "captured": [
                .joined(
                    "DATE",
                    "TIME",
                    separator: " ",
                    .time(.patterns(["D HH-mm-ss-S", "D HH:mm:ss.S", "yyyyMMdd HH-mm-ss-S"]))
                )
            ],
            "confidence": [.path("OCRSCORE", .percentOrPerMille)],
            "direction": [
                .path(
                    "DIRECTION",
                    .words([
                        "GOAWAY": "away", "APPROACH": "towards", "GOTOWARD": "towards", "UNKNOWN": "",
                    ])
                )
            ],
            "lane": [.path("LANE_ID")],
            "speed": [.path("SPEED")],
            "country": [.path("PLATE_COUNTRY")],
            "plateImage": [.path("IMAGE_OCR")],
            "overviewImage": [.path("IMAGE_CTX")],
            "eventId": [.path("TRANSIT_ID")],
        ]
    )
}
