public import ANPRModel
public import Compression

/// Packs the sightings of some marks, each page of them so that it is read without the others but for one codebook.
public struct PagePacker {
    private let encoder: FrameEncoder
    private let day: Int32
    private var packer: EntropyPacker

    /// A packer of the sightings of a day.
    ///
    /// - Parameters:
    ///   - day: counted from 1970-01-01; the first read of each sighting is on it.
    ///   - codebook: made by a `PageCounter`, of these sightings or others like them.
    public init(register: CameraRegister, day: Int32, codebook: Codebook) {
        encoder = FrameEncoder(register: register, order: .mark)
        self.day = day
        packer = EntropyPacker(codebook)
    }

    /// The bytes of some sightings; not of their marks.
    ///
    /// - Parameter runs: which ones: adjoining rows of one mark each, in the order of first and camera, and one run behind the other;
    ///   together 1 to `FrameEncoder.countMax`.
    public mutating func pack(_ batch: SightingBatch, _ runs: ArraySlice<Range<Int>>) -> [UInt8] {
        PageRows(batch, runs, day: day, by: encoder).encoded(&packer)
    }
}

/// Counts what pages are made of, for a codebook.
public struct PageCounter {
    private let encoder: FrameEncoder
    private let day: Int32
    /// What was counted so far.
    public private(set) var counts = ByteCounts(kinds: PageKinds.count)

    /// A counter of the sightings of a day.
    public init(register: CameraRegister, day: Int32) {
        encoder = FrameEncoder(register: register, order: .mark)
        self.day = day
    }

    /// Counts sightings, given as to `PagePacker.pack`.
    public mutating func add(_ batch: SightingBatch, _ runs: ArraySlice<Range<Int>>) {
        PageRows(batch, runs, day: day, by: encoder).count(in: &counts)
    }
}

/// Unpacks what a `PagePacker` packed; nothing is believed before it is checked.
public struct PageUnpacker: Sendable {
    private let decoder: FrameDecoder
    private let cameraCount: Int
    private var unpacker: EntropyUnpacker
    private var buffers = PageBuffers()

    /// An unpacker of the files that share a register and a codebook.
    ///
    /// - Complexity: 1.1 MB, and some hundred microseconds to make.
    public init(register: CameraRegister, codebook: Codebook) {
        decoder = FrameDecoder(register: register)
        cameraCount = register.count
        unpacker = EntropyUnpacker(codebook)
    }

    /// Only the marks of a page of before, ascending.
    ///
    /// - Complexity: O(marks), some 3 ns each.
    public static func keys(_ bytes: [UInt8], first: MarkKey) throws(FrameFault) -> [UInt64] {
        try MarkPage.keys(bytes, first: first)
    }

    /// A page of marks of before.
    public mutating func page(_ bytes: [UInt8], first: MarkKey) throws(FrameFault) -> MarkPage {
        try MarkPage(bytes, first: first, &unpacker)
    }

    /// Appends the sightings of a page, all or none; on a fault `batch` is as it was.
    ///
    /// - Parameters:
    ///   - marks: how many runs there are.
    ///   - isWanted: whether any is wanted, by when and where. If none is, nothing else is read.
    ///   - vrms: the mark of each run, asked for if any is wanted.
    /// - Throws: `FrameFault` or `CompressionError`.
    /// - Complexity: O(sightings), some 150 ns each, a tenth of it if none is wanted.
    public mutating func rows(
        _ bytes: [UInt8],
        marks: Int,
        day: Int32,
        where isWanted: (PageMoments) -> Bool,
        vrms: () -> [VRM],
        into batch: inout SightingBatch
    ) throws {
        var reader = try PageRowsReader(bytes, marks: marks, day: day, &unpacker, &buffers)
        guard buffers.moments.cameras.max() ?? 0 < cameraCount else { throw FrameFault.unknownCamera }
        if isWanted(buffers.moments) {
            try reader.finish(&buffers, vrms(), by: decoder, &unpacker, into: &batch)
        }
    }
}

/// When and where first the sightings of a page are.
public struct PageMoments: Sendable {
    /// By run: how many sightings it has.
    public internal(set) var counts: [Int] = []
    /// By sighting: the first read's time.
    public internal(set) var times: [Timestamp] = []
    /// By sighting: the best read's camera.
    public internal(set) var cameras: [CameraIndex] = []
}
