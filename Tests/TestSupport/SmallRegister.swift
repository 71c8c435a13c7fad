public import ANPRModel

/// Registers for tests.
public enum SmallRegister {
    /// Sites `SITE-0`, `SITE-1` and so on, each seen by cameras of every force; the last camera has none.
    ///
    /// Cameras are registered in an order that is not that of their names: an index never passes for a rank.
    ///
    /// - Parameters:
    ///   - sites: how many sites.
    ///   - forces: the forces' codes.
    ///   - camerasEach: how many cameras each force has at each site.
    public static func make(
        sites: Int = 2,
        forces: [String] = ["43", "45"],
        camerasEach: Int = 2
    ) -> CameraRegister {
        var cameras: [Camera] = []
        for site in 0..<sites {
            for force in forces.reversed() {
                for lane in (1...camerasEach).reversed() {
                    cameras.append(
                        Camera(
                            force: force,
                            name: "\(force)-\(site)-\(lane)",
                            site: "SITE-\(site)",
                            latitude: 517_000_000,
                            longitude: -12_000_000,
                            direction: .north,
                            lane: UInt8(lane)
                        )
                    )
                }
            }
        }
        if let force = forces.first { cameras.append(Camera(force: force, name: "ALONE")) }
        return CameraRegister(cameras)
    }
}

extension Read {
    /// A read of a mark and a camera that must exist, for tables of cases.
    ///
    /// - Parameters:
    ///   - vrm: the mark, normal.
    ///   - milliseconds: the captured time.
    ///   - camera: the camera.
    ///   - confidence: -1 for absent.
    public init(_ vrm: String, at milliseconds: Int64, by camera: CameraIndex, confidence: Int8 = -1) {
        self.init(
            vrm: VRM(vrm) ?? VRM(trusted: 0),
            captured: Timestamp(milliseconds: milliseconds),
            camera: camera
        )
        self.confidence = confidence
    }
}
