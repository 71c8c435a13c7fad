/// An open-addressing table from the bytes of (force, camera) to the current registration.
///
/// Compares the whole texts, so a hash collision never finds the wrong camera.
struct CameraLookup: Sendable {
    /// The two texts' lengths and first bytes: all there is of most cameras.
    private struct Key: Equatable {
        var force: UInt64 = 0
        var head: UInt64 = 0
        var tail: UInt64 = 0
        var forceLength = 0
        var nameLength = 0

        /// Whether the bytes hold both texts whole.
        var isWhole: Bool { forceLength <= 8 && nameLength <= 16 }

        init() {}

        @inline(__always)
        init(_ bytes: Span<UInt8>, force: Range<Int>, name: Range<Int>) {
            self.force = ByteWord.load(bytes, at: force.lowerBound, count: min(force.count, 8))
            head = ByteWord.load(bytes, at: name.lowerBound, count: min(name.count, 8))
            if name.count > 8 {
                tail = ByteWord.load(bytes, at: name.lowerBound + 8, count: min(name.count - 8, 8))
            }
            forceLength = force.count
            nameLength = name.count
        }

        @inline(__always)
        init(force: UInt64, forceLength: Int, name: (UInt64, UInt64), nameLength: Int) {
            self.force = force
            self.forceLength = forceLength
            (head, tail) = name
            self.nameLength = nameLength
        }

        /// Where in the table to look first; texts that differ only behind the key share a place.
        @inline(__always)
        var hash: UInt64 {
            let mixed = (force ^ UInt64(truncatingIfNeeded: nameLength) &<< 56) &* 0x9E37_79B9_7F4A_7C15
            let both = (mixed ^ head) &* 0xD6E8_FEB8_6659_FD93 ^ tail
            let all = both &* 0x9E37_79B9_7F4A_7C15
            return all ^ all &>> 32
        }
    }

    private struct Slot {
        var key = Key()
        /// Where the force's text starts in `texts`; the camera's follows it.
        var start: UInt32 = 0
        /// The registration plus one; 0 is a free slot.
        var camera: UInt32 = 0
    }

    private var slots = [Slot](repeating: Slot(), count: 64)
    private var texts: [UInt8] = []
    private var used = 0

    func find(_ bytes: Span<UInt8>, force: Range<Int>, name: Range<Int>) -> CameraIndex? {
        let place = place(of: Key(bytes, force: force, name: name), bytes, force: force, name: name)
        let camera = slots[place].camera
        return camera == 0 ? nil : camera - 1
    }

    /// Finds a camera by texts that are whole in the words.
    func find(force: UInt64, forceLength: Int, name: (UInt64, UInt64), nameLength: Int) -> CameraIndex? {
        let key = Key(force: force, forceLength: forceLength, name: name, nameLength: nameLength)
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: key.hash) & mask
        while slots[place].camera != 0 {
            if slots[place].key == key { return slots[place].camera - 1 }
            place = (place + 1) & mask
        }
        return nil
    }

    mutating func insert(_ camera: Camera, as index: CameraIndex) {
        if used * 2 >= slots.count { grow() }
        let text = Array(camera.force.utf8) + Array(camera.name.utf8)
        let force = 0..<camera.force.utf8.count
        let name = force.upperBound..<text.count
        let key = Key(text.span, force: force, name: name)
        let place = place(of: key, text.span, force: force, name: name)
        if slots[place].camera != 0 {
            slots[place].camera = index + 1
            return
        }
        slots[place] = Slot(key: key, start: UInt32(texts.count), camera: index + 1)
        texts += text
        used += 1
    }

    /// Where these texts are, or the free slot where they would go.
    @inline(__always)
    private func place(of key: Key, _ bytes: Span<UInt8>, force: Range<Int>, name: Range<Int>) -> Int {
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: key.hash) & mask
        while slots[place].camera != 0 {
            if slots[place].key == key, key.isWhole || matches(slots[place], bytes, force: force, name: name)
            {
                return place
            }
            place = (place + 1) & mask
        }
        return place
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        let mask = slots.count - 1
        for slot in old where slot.camera != 0 {
            var place = Int(truncatingIfNeeded: slot.key.hash) & mask
            while slots[place].camera != 0 { place = (place + 1) & mask }
            slots[place] = slot
        }
    }

    /// Compares the whole texts, whose lengths are known to be the same.
    private func matches(_ slot: Slot, _ bytes: Span<UInt8>, force: Range<Int>, name: Range<Int>) -> Bool {
        let start = Int(slot.start)
        for offset in 0..<force.count where texts[start + offset] != bytes[force.lowerBound + offset] {
            return false
        }
        let nameStart = start + force.count
        for offset in 0..<name.count where texts[nameStart + offset] != bytes[name.lowerBound + offset] {
            return false
        }
        return true
    }
}
