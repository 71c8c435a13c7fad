extension FeedMapping {
    /// Hikvision ISAPI: `EventNotificationAlert` in XML, alone or as a part beside its pictures.
    ///
    /// The camera is `macAddress/channelID`, which stays when addresses and names are changed; `ipAddress/channelID`
    /// without the former. Retransmitted events come in as any other: they are redelivered reads.
    public static let hikvision = FeedMapping(
        containers: [.xml],
        ignoredDocuments: [MappingPredicate(["eventType"], .differs(["ANPR"]))],
        fields: [
            "vrm": [.path("ANPR.licensePlate")],
            "camera": [
                .joined("macAddress", "channelID", separator: "/"),
                .joined("ipAddress", "channelID", separator: "/"),
            ],
            "captured": [
                .path("dateTime", .time(.iso)),
                .path(
                    "ANPR.pictureInfoList.pictureInfo.absTime",
                    .time(.patterns(["yyyyMMddHHmmssS"]))
                ),
            ],
            "confidence": [.path("ANPR.confidenceLevel")],
            "direction": [
                .path(
                    "ANPR.direction",
                    .words(["forward": "away", "reverse": "towards", "unknown": ""])
                )
            ],
            "lane": [.path("ANPR.line")],
            "eventId": [.path("UUID")],
        ]
    )
}
