extension FeedMapping {
    /// Dahua: the event stream as lines of key and value, the same as JSON of the RPC, and the ITSAPI push.
    ///
    /// `RealUTC` counts before `UTC`, which some firmware writes in local time: see `FeedRules.epochIsLocal`.
    /// `Object.Text` is a mark only if the object is a plate. Heartbeats and events without a vehicle are ignored.
    public static let dahua = FeedMapping(
        containers: [.keyValue, .json],
        records: ["Events[]", "ReturnEvents[]", "params.eventList[]", ""],
        ignoredDocuments: [MappingPredicate(["Heartbeat", "KeepAlive", "Active", "Manufacturer"], .exists)],
        ignoredRecords: [
            MappingPredicate(["TrafficCar", "Data.TrafficCar", "Object", "Data.Object", "Picture"], .missing)
        ],
        noPlate: noPlateWords + ["unlicensed"],
        fields: [
            "vrm": [
                .paths("TrafficCar.PlateNumber", "Data.TrafficCar.PlateNumber", "Picture.Plate.PlateNumber"),
                ifPlate("Object"), ifPlate("Data.Object"),
            ],
            "camera": [
                .paths(
                    "TrafficCar.MachineName",
                    "Data.TrafficCar.MachineName",
                    "Picture.SnapInfo.DeviceID",
                    "Picture.SnapInfo.MachineName"
                )
            ],
            "captured": ["", "Data."].flatMap { place in
                [
                    time("\(place)RealUTC", "\(place)UTCMS", .utcEpoch(.secondsAndMilliseconds)),
                    time("\(place)UTC", "\(place)UTCMS", .epoch(.secondsAndMilliseconds)),
                    .path(DocumentPath(known: "\(place)LocaleTime"), .time(.iso)),
                ]
            } + [
                .paths("Picture.SnapInfo.AccurateTime", "Picture.SnapInfo.SnapTime", transform: .time(.iso))
            ],
            "confidence": [
                .paths("Object.Confidence", "Data.Object.Confidence", "Picture.Plate.Confidence")
            ],
            "direction": [
                .paths(
                    "TrafficCar.DrivingDirection[0]",
                    "Data.TrafficCar.DrivingDirection[0]",
                    "Picture.Vehicle.DrivingDirection",
                    transform: .words(["Approach": "towards", "Leave": "away", "Unknown": ""])
                )
            ],
            "lane": [
                .paths(
                    "Lane",
                    "TrafficCar.Lane",
                    "Data.Lane",
                    "Data.TrafficCar.Lane",
                    "Picture.SnapInfo.LaneNo"
                )
            ],
            "speed": [
                .paths(
                    "Speed",
                    "TrafficCar.Speed",
                    "Data.Speed",
                    "Data.TrafficCar.Speed",
                    "Picture.Vehicle.Speed"
                )
            ],
            "eventId": [.paths("EventID", "EventBaseInfo.EventID", "Data.EventID")],
        ]
    )

    private static func time(_ seconds: String, _ milliseconds: String, _ format: TimeFormat) -> FieldSource {
        .joined(
            DocumentPath(known: seconds),
            DocumentPath(known: milliseconds),
            separator: ".",
            .time(format)
        )
    }

    private static func ifPlate(_ object: String) -> FieldSource {
        FieldSource(
            .first([DocumentPath(known: "\(object).Text")]),
            if: MappingPredicate([DocumentPath(known: "\(object).ObjectType")], .equals(["Plate"]))
        )
    }
}
