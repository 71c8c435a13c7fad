import ANPRModel
import Compression

/// A contribution that goes, for the images of its reads.
struct PurgedContribution: Sendable {
    var vrm: VRM
    var camera: CameraIndex
    /// From its first read to the end of its sighting.
    var times: ClosedRange<Timestamp>
    /// The rule by which it goes.
    var rule: Int
}

/// The contributions of a run of sightings that go, found by mark.
struct PurgedContributions: Sendable {
    private var all: [PurgedContribution]
    private let register: CameraRegister

    init(_ all: [PurgedContribution] = [], _ register: CameraRegister = CameraRegister()) {
        self.all = all.sorted { $0.vrm.packed < $1.vrm.packed }
        self.register = register
    }

    /// The days on which their reads were captured.
    var days: Set<Int32> {
        all.reduce(into: []) { days, part in
            days.insert(part.times.lowerBound.day)
            days.insert(part.times.upperBound.day)
        }
    }

    /// The rule by which the read of an image goes, if it does.
    func rule(_ binding: ImageBinding) -> Int? {
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle].vrm.packed < binding.vrm.packed { low = middle + 1 } else { high = middle }
        }
        while low < all.count, all[low].vrm == binding.vrm {
            let camera = register.cameras[Int(all[low].camera)]
            if all[low].times.contains(binding.captured), camera.name == binding.camera,
                camera.force == binding.force
            {
                return all[low].rule
            }
            low += 1
        }
        return nil
    }
}

extension ImageStore: ImagePurger {
    /// What a purge of a day found.
    public struct Purge: Sendable {
        /// Images that go, by the rule; one that belongs to several reads counts for each.
        var images: [Int: Int] = [:]
        /// The earliest of them, by the rule.
        var oldest: [Int: Timestamp] = [:]

        /// Whether there is none.
        public var isEmpty: Bool { images.isEmpty }

        /// Nothing.
        public init() {}
    }

    /// The days with images, counted from 1970-01-01.
    public var days: [Int32] { Self.days(in: folder) }

    /// Removes what is due from a day's file; the room is free when this returns, and the file's key destroyed.
    ///
    /// An image that another read still holds stays. The file goes whole where nothing stays, else it is written anew and
    /// renamed: after a crash in between the old one is there, whole. A file that can't be read whole stays as it is.
    ///
    /// - Parameters:
    ///   - isDry: whether nothing is to be changed.
    ///   - begin: is given what is about to go, if anything is, before it does; nothing goes where it throws.
    ///   - rule: the rule by which a read's image goes, if it does.
    /// - Throws: what `begin` throws, or `StorageError`; of code `damaged`, with file and byte, where nothing of the file can go.
    /// - Complexity: memory for the hashes of the images that stay.
    public func purge(
        _ day: Int32,
        isDry: Bool,
        begin: (_ due: Purge) throws -> Void = { _ in },
        by rule: @escaping @Sendable (ImageBinding) -> Int?
    ) throws -> Purge {
        if !isDry { try close(day) }
        guard var sweep = try ImageSweep(day, in: folder, keys: keys, by: rule) else { return Purge() }
        if isDry || sweep.purge.isEmpty { return sweep.purge }
        try sweep.write(begin: begin)
        return try finish(sweep)
    }

    /// Puts what a sweep has written in the place of the day's file, with what was added since.
    public func finish(_ sweep: ImageSweep) throws(StorageError) -> Purge {
        try close(sweep.day)
        var sweep = sweep
        // What it looked at may be other records by now: it is done again.
        if let cut = lastCut(sweep.day), cut >= sweep.since {
            sweep.drop()
            guard let again = try ImageSweep(sweep.day, in: folder, keys: keys, by: sweep.rule) else {
                return Purge()
            }
            sweep = again
        }
        try sweep.finish()
        if !sweep.purge.images.isEmpty { try DataFolder.sync(folder) }
        return sweep.purge
    }
}

extension RetentionPolicy {
    /// The place of the rule that decides about an image by its own class.
    func rule(_ binding: ImageBinding) -> Int? {
        let own: RetentionRule.DataClass = binding.kind == .plate ? .patch : .overview
        return rule(of: own, force: binding.force, confidence: binding.confidence)
    }
}
