/// The cameras of a node, their sites and their forces, each under a small integer.
///
/// Append-only: an index never changes its meaning, so reads and sightings on disk keep the site they had when
/// they were seen. A camera that moves, or whose direction or lane is corrected, is registered again under a new
/// index and found under that from then on.
///
/// - Complexity: finding a camera hashes its two texts, O(their length), no allocation.
public struct CameraRegister: Sendable {
    /// All registrations, oldest first; the index is the position.
    public private(set) var cameras: [Camera] = []
    /// The names of the sites, by index.
    public private(set) var sites: [String] = []
    /// The codes of the forces, by index.
    public private(set) var forces: [String] = []
    /// The site of each registration.
    public private(set) var siteOfCamera: [SiteIndex] = []
    /// The force of each registration.
    public private(set) var forceOfCamera: [ForceIndex] = []
    /// FNV-1a of each site's name, for sighting ids.
    public private(set) var siteHash: [UInt64] = []
    /// The rank of each registration by (force, name) in byte order; equal only for the same camera registered again.
    public private(set) var cameraOrder: [UInt32] = []
    /// The rank of each site's name in byte order.
    public private(set) var siteOrder: [UInt32] = []

    private var siteIndex: [String: SiteIndex] = [:]
    private var forceIndex: [String: ForceIndex] = [:]
    private var lookup = CameraLookup()

    /// An empty register.
    public init() {}

    /// A register of the given cameras; of two with the same force and name the later counts.
    public init(_ cameras: [Camera]) {
        for camera in cameras { append(camera) }
        rank()
    }

    /// A register of exactly the given registrations, in their order.
    public init(restoring cameras: [Camera]) { restore(cameras) }

    /// How many registrations there are.
    public var count: Int { cameras.count }

    /// Registers cameras; one that is known and unchanged keeps its index.
    ///
    /// - Returns: the index of each camera given, in their order.
    /// - Complexity: O(all cameras), for the ranks.
    @discardableResult
    public mutating func register(_ more: [Camera]) -> [CameraIndex] {
        let before = cameras.count
        let indexes = more.map { camera in
            if let known = find(force: camera.force, name: camera.name), cameras[Int(known)] == camera {
                return known
            }
            return append(camera)
        }
        if cameras.count > before { rank() }
        return indexes
    }

    /// Appends registrations exactly as given, for reading a register back from disk or wire.
    public mutating func restore(_ more: [Camera]) {
        for camera in more { append(camera) }
        rank()
    }

    /// The same register, under the same indexes, in which only the given cameras are found.
    ///
    /// For what comes in: a camera that has left the register's file keeps its past but sends nothing more.
    public func finding(only cameras: [Camera]) -> CameraRegister {
        var limited = self
        limited.lookup = CameraLookup()
        for camera in cameras {
            guard let index = find(force: camera.force, name: camera.name) else { continue }
            limited.lookup.insert(camera, as: index)
        }
        return limited
    }

    /// Finds the current registration of a camera by the bytes of its two texts.
    public func find(_ bytes: Span<UInt8>, force: Range<Int>, name: Range<Int>) -> CameraIndex? {
        lookup.find(bytes, force: force, name: name)
    }

    /// Finds the current registration of a camera by two short texts in words, the first byte lowest, zeroes behind.
    ///
    /// - Parameters:
    ///   - force: the force's code, of up to 8 bytes.
    ///   - forceLength: its bytes.
    ///   - name: the camera's name, of up to 16 bytes.
    ///   - nameLength: its bytes.
    package func find(
        force: UInt64,
        forceLength: Int,
        name: (UInt64, UInt64),
        nameLength: Int
    ) -> CameraIndex? {
        lookup.find(force: force, forceLength: forceLength, name: name, nameLength: nameLength)
    }

    /// Finds the current registration of a camera.
    public func find(force: String, name: String) -> CameraIndex? {
        let text = Array(force.utf8) + Array(name.utf8)
        let end = force.utf8.count
        return lookup.find(text.span, force: 0..<end, name: end..<text.count)
    }

    /// The index of a force's code, if any camera is of that force.
    public func force(_ code: String) -> ForceIndex? { forceIndex[code] }

    /// The index of a site's name.
    public func site(_ name: String) -> SiteIndex? { siteIndex[name] }

    /// The registration's site name.
    public func siteName(of camera: CameraIndex) -> String { sites[Int(siteOfCamera[Int(camera)])] }

    @discardableResult
    private mutating func append(_ camera: Camera) -> CameraIndex {
        let index = CameraIndex(cameras.count)
        cameras.append(camera)
        siteOfCamera.append(indexOfSite(camera.site))
        forceOfCamera.append(indexOfForce(camera.force))
        lookup.insert(camera, as: index)
        return index
    }

    private mutating func indexOfSite(_ name: String) -> SiteIndex {
        if let known = siteIndex[name] { return known }
        let index = SiteIndex(sites.count)
        sites.append(name)
        siteHash.append(SightingID.hash(ofSite: name))
        siteIndex[name] = index
        return index
    }

    private mutating func indexOfForce(_ code: String) -> ForceIndex {
        if let known = forceIndex[code] { return known }
        let index = ForceIndex(forces.count)
        forces.append(code)
        forceIndex[code] = index
        return index
    }

    private mutating func rank() {
        siteOrder = Self.ranks(of: sites.map { Array($0.utf8) })
        // A byte below every text's bytes keeps ("4", "3x") apart from ("43", "x") and in the right order.
        cameraOrder = Self.ranks(of: cameras.map { Array($0.force.utf8) + [0] + Array($0.name.utf8) })
    }

    private static func ranks(of texts: [[UInt8]]) -> [UInt32] {
        let sorted = texts.indices.sorted { texts[$0].lexicographicallyPrecedes(texts[$1]) }
        var ranks = [UInt32](repeating: 0, count: texts.count)
        var rank: UInt32 = 0
        for (place, index) in sorted.enumerated() {
            if place > 0, texts[index] != texts[sorted[place - 1]] { rank += 1 }
            ranks[index] = rank
        }
        return ranks
    }
}
