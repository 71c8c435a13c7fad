/// A camera's place in a `CameraRegister`; stable for the life of that register.
public typealias CameraIndex = UInt32
/// A site's place in a `CameraRegister`.
public typealias SiteIndex = UInt32
/// A force's place in a `CameraRegister`.
public typealias ForceIndex = UInt32

/// What the register knows of one camera.
public struct Camera: Sendable, Hashable {
    /// The owning force's code.
    public var force: String
    /// The camera's name, unique inside the force, 1 to 64 characters.
    public var name: String
    /// The site it looks at; cameras of any force that look at the same piece of road share one.
    public var site: String
    /// Latitude in 1e-7 degrees, or `Read.noPosition`.
    public var latitude: Int32
    /// Longitude in 1e-7 degrees, or `Read.noPosition`.
    public var longitude: Int32
    /// The direction of what it sees, where a read does not say.
    public var direction: Direction?
    /// The lane it sees, 0-63, where a read does not say.
    public var lane: UInt8?

    /// A camera; with no site of its own it is its own site, written `force/camera`.
    public init(
        force: String,
        name: String,
        site: String? = nil,
        latitude: Int32 = Read.noPosition,
        longitude: Int32 = Read.noPosition,
        direction: Direction? = nil,
        lane: UInt8? = nil
    ) {
        self.force = force
        self.name = name
        self.site = site ?? "\(force)/\(name)"
        self.latitude = latitude
        self.longitude = longitude
        self.direction = direction
        self.lane = lane
    }
}
