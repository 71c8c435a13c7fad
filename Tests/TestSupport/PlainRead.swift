public import ANPRModel

/// A read as the specification speaks of it: texts and plain numbers, nothing packed.
public struct PlainRead: Hashable, Sendable {
    /// The mark.
    public var vrm: String
    /// The owning force's code.
    public var force: String
    /// The camera's name.
    public var camera: String
    /// The site that the camera looks at.
    public var site: String
    /// Milliseconds since 1970, UTC.
    public var captured: Int64
    /// 0-100.
    public var confidence: Int?
    /// The direction's word.
    public var direction: String?
    /// 0-63.
    public var lane: Int?
    /// Tenths of km/h.
    public var speed: Int?

    /// A read with its required fields; the rest starts absent.
    public init(vrm: String, force: String, camera: String, site: String, captured: Int64) {
        self.vrm = vrm
        self.force = force
        self.camera = camera
        self.site = site
        self.captured = captured
    }

    /// The plain form of a decoded read.
    public init(_ read: Read, in register: CameraRegister) {
        let camera = register.cameras[Int(read.camera)]
        self.init(
            vrm: read.vrm.text,
            force: camera.force,
            camera: camera.name,
            site: camera.site,
            captured: read.captured.milliseconds
        )
        confidence = read.confidence < 0 ? nil : Int(read.confidence)
        direction = Direction(rawValue: read.direction)?.text
        lane = read.lane < 0 ? nil : Int(read.lane)
        speed = read.speed == 0 ? nil : Int(read.speed) - 1
    }
}
