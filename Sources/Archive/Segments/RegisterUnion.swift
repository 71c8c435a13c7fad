import ANPRModel

/// Brings sightings that were written under different registers under one.
struct RegisterUnion {
    private(set) var register = CameraRegister()
    /// The common index of each camera; made when a second register comes, which is seldom.
    private var known: [Camera: CameraIndex] = [:]
    private var last: (cameras: [Camera], indexes: [CameraIndex]) = ([], [])

    /// The common index of each camera of another register.
    ///
    /// - Complexity: O(1) for one that has its cameras from where the one before has them, as segments do that are open together.
    mutating func indexes(of other: CameraRegister) -> [CameraIndex] {
        // Arrays that share their storage are equal at a glance.
        if other.cameras == last.cameras { return last.indexes }
        let indexes = register.count == 0 ? adopt(other) : merge(other)
        last = (other.cameras, indexes)
        return indexes
    }

    private mutating func adopt(_ other: CameraRegister) -> [CameraIndex] {
        register = other
        return (0..<other.count).map { CameraIndex($0) }
    }

    private mutating func merge(_ other: CameraRegister) -> [CameraIndex] {
        if known.isEmpty {
            for (index, camera) in register.cameras.enumerated() where known[camera] == nil {
                known[camera] = CameraIndex(index)
            }
        }
        var fresh: [Camera] = []
        let indexes = other.cameras.map { camera in
            if let index = known[camera] { return index }
            let index = CameraIndex(register.count + fresh.count)
            known[camera] = index
            fresh.append(camera)
            return index
        }
        if !fresh.isEmpty { register.restore(fresh) }
        return indexes
    }
}
