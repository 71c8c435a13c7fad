import ANPRModel

/// Brings sightings that were written under different registers under one.
struct RegisterUnion {
    private(set) var register = CameraRegister()
    private var known: [Camera: CameraIndex] = [:]
    private var last: (count: Int, final: Camera?, indexes: [CameraIndex]) = (0, nil, [])

    /// The common index of each camera of another register.
    mutating func indexes(of other: CameraRegister) -> [CameraIndex] {
        // A node's registers only grow: the same length and end is the same register.
        if other.count == last.count, other.cameras.last == last.final { return last.indexes }
        var fresh: [Camera] = []
        let indexes = other.cameras.map { camera in
            if let index = known[camera] { return index }
            let index = CameraIndex(register.count + fresh.count)
            known[camera] = index
            fresh.append(camera)
            return index
        }
        if !fresh.isEmpty { register.restore(fresh) }
        last = (other.count, other.cameras.last, indexes)
        return indexes
    }
}
