import ANPRModel
import Archive
import Forwarding
import Simulation
import SightingFrames
import TestSupport
import Testing

/// Which patches are pushed over a link, and how far that is noted.
struct PatchOutboxTests {
    /// A node's log and images, with what should go.
    private final class Node {
        let folder: TemporaryFolder
        let keys: KeyRing
        let log: SightingLog
        let store: ImageStore
        let register = SmallRegister.make()
        var random: SeededRandom
        /// The captured times of best reads that have a patch, by the sighting's number.
        private(set) var patches: [UInt64: Timestamp] = [:]
        private var time: Int64 = 1_795_000_000_000

        init(seed: UInt64) throws {
            random = SeededRandom(seed: seed)
            folder = try TemporaryFolder()
            keys = KeyRing(data: folder.path, .file("\(folder.path)/keys/master.key"))
            log = try SightingLog("\(folder.path)/sightings", keys: keys, partLengthMax: 3000)
            store = try ImageStore("\(folder.path)/images", keys: keys)
        }

        func outbox(from sequence: UInt64) -> PatchOutbox {
            let index = ImageIndex(data: folder.path, keys: keys, kind: .plate)
            return PatchOutbox("\(folder.path)/sightings", keys: keys, index, from: sequence)
        }

        /// Logs some sightings; some have a patch, some an overview, some the patch of another read only.
        func grow(_ count: Int) throws {
            var batch = SightingBatch()
            for place in 0..<count {
                time += Int64(random.within(1...40_000_000))
                let camera = CameraIndex(random.below(register.count - 1))
                var read = Read("AB\(10 + random.below(90))CDE", at: time, by: camera, confidence: 90)
                let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF] + (0..<20).map { _ in UInt8(random.below(4)) }
                let number = log.extent.next + UInt64(place)
                switch random.below(5) {
                case 0: break
                case 1: try keep(ReadImage(of: read, kind: .overview, jpeg: jpeg))
                case 2:
                    read.captured = Timestamp(milliseconds: time + 1)
                    try keep(ReadImage(of: read, kind: .plate, jpeg: jpeg))
                default:
                    try keep(ReadImage(of: read, kind: .plate, jpeg: jpeg))
                    patches[number] = read.captured
                }
                let best = Timestamp(milliseconds: time)
                batch.append(
                    Sighting(
                        vrm: read.vrm,
                        first: best,
                        last: best,
                        captured: best,
                        opened: best,
                        camera: camera,
                        reads: 1
                    )
                )
                batch.append(Contribution(camera: camera, reads: 1, first: best, confidence: 90))
            }
            try store.sync()
            try log.append(
                batch,
                mark: StreamMark(
                    journalEntry: log.extent.next + UInt64(count),
                    closedThrough: Timestamp(milliseconds: time),
                    isEnd: false
                ),
                register: register,
                encoder: FrameEncoder(register: register),
                frameCount: 16,
                isDurable: false
            )
        }

        private func keep(_ image: ReadImage) throws { try store.append([image], register: register) }
    }

    @Test(
        "each patch of a best read goes in the log's order, once a connection, and none is passed before it is there",
        arguments: 1...12 as ClosedRange<UInt64>
    )
    func law(seed: UInt64) throws {
        let node = try Node(seed: seed)
        var outbox = node.outbox(from: 0)
        var noted: UInt64 = 0
        var delivered: UInt64 = 0
        var underWay: [UInt64] = []
        var sent: UInt64?
        var there: Set<UInt64> = []
        var gone: UInt64 = 0
        for _ in 0..<600 {
            switch node.random.below(20) {
            case 0..<4: try node.grow(1 + node.random.below(40))
            case 4..<7:
                let left = Int(node.log.extent.next - delivered)
                delivered += UInt64(node.random.below(left + 1))
            case 7..<13:
                guard
                    let patch = try outbox.next(
                        before: delivered,
                        first: node.log.first,
                        lengthMax: 100
                    )
                else { continue }
                #expect(sent.map { $0 < patch.number } ?? true)
                #expect(patch.number < delivered)
                #expect(patch.found.binding.captured == node.patches[patch.number])
                let jpeg = try ImageSearch(data: node.folder.path, keys: node.keys).jpeg(of: patch.found)
                #expect(jpeg.starts(with: [0xFF, 0xD8, 0xFF]))
                // Those between the one before and this one have none, or are gone.
                let skipped = node.patches.keys.filter { $0 < patch.number && $0 > (sent ?? 0) }
                #expect(skipped.allSatisfy { there.contains($0) || $0 < gone || $0 < noted })
                sent = patch.number
                underWay.append(patch.number)
                #expect(underWay.count <= 8)
            case 13..<18:
                guard !underWay.isEmpty else { continue }
                let number = underWay.remove(at: node.random.below(underWay.count))
                let wasUnderWay = outbox.taken(number)
                #expect(wasUnderWay)
                there.insert(number)
            case 18:
                // The connection breaks; the next begins where it was noted that all is there.
                noted = max(noted, outbox.cursor)
                outbox = node.outbox(from: noted)
                underWay = []
                sent = nil
            default:
                guard node.random.chance(perMille: 200) else { continue }
                try node.log.drop(before: delivered)
                gone = max(gone, node.log.first)
            }
            let missing = node.patches.keys.filter { !there.contains($0) && $0 >= gone }.min()
            #expect(outbox.cursor <= max(missing ?? .max, gone))
        }
        delivered = node.log.extent.next
        for number in underWay {
            let wasUnderWay = outbox.taken(number)
            #expect(wasUnderWay)
        }
        there.formUnion(underWay)
        while let patch = try outbox.next(before: delivered, first: node.log.first, lengthMax: 100) {
            let wasUnderWay = outbox.taken(patch.number)
            #expect(wasUnderWay)
            there.insert(patch.number)
        }
        #expect(outbox.isSettled(before: delivered))
        #expect(outbox.cursor == delivered)
        #expect(node.patches.keys.allSatisfy { there.contains($0) || $0 < gone })
        #expect(!there.isEmpty)
    }

    @Test("patches longer than are taken are passed over")
    func tooLong() throws {
        let node = try Node(seed: 5)
        try node.grow(50)
        var outbox = node.outbox(from: 0)
        let end = node.log.extent.next
        #expect(try outbox.next(before: end, first: 0, lengthMax: 22) == nil)
        #expect(outbox.isSettled(before: end))
        var wider = node.outbox(from: 0)
        #expect(try wider.next(before: end, first: 0, lengthMax: 23) != nil)
    }

    @Test("what retention writes anew is found again, and what it took is not")
    func rewritten() throws {
        let node = try Node(seed: 7)
        try node.grow(30)
        var index = ImageIndex(data: node.folder.path, keys: node.keys, kind: .plate)
        let all = try ImageSearch(data: node.folder.path, keys: node.keys).run(ImageQuery()).filter {
            $0.binding.kind == .plate
        }
        #expect(!all.isEmpty)
        for one in all {
            let binding = one.binding
            let find = {
                try index.find(
                    force: binding.force,
                    camera: binding.camera,
                    vrm: binding.vrm,
                    captured: binding.captured
                )
            }
            #expect(try find() == one)
            let path = "\(node.folder.path)/images"
            let name = try #require(
                DataFolder.names(in: path).first {
                    $0.hasPrefix(TimestampWriter.text(binding.captured).prefix(10))
                }
            )
            let contents = try DataFile("\(path)/\(name)", .read).contents()
            try DataFile("\(path)/other", .replace).write(contents, at: 0)
            try DataFolder.rename("\(path)/other", to: "\(path)/\(name)")
            #expect(try find() == one)
        }
        let first = try #require(all.first).binding
        try DataFolder.remove(
            "\(node.folder.path)/images/\(TimestampWriter.text(first.captured).prefix(10)).images"
        )
        let found = try index.find(
            force: first.force,
            camera: first.camera,
            vrm: first.vrm,
            captured: first.captured
        )
        #expect(found == nil)
    }
}
