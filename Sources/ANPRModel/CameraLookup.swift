/// An open-addressing table from the bytes of (force, camera) to the current registration.
///
/// Compares the whole texts, so a hash collision never finds the wrong camera.
struct CameraLookup: Sendable {
    private struct Slot {
        var hash: UInt64 = 0
        /// Where the force's text starts in `texts`; the camera's follows it.
        var start: UInt32 = 0
        var forceLength: UInt16 = 0
        var nameLength: UInt16 = 0
        /// The registration plus one; 0 is a free slot.
        var camera: UInt32 = 0
    }

    private var slots = [Slot](repeating: Slot(), count: 64)
    private var texts: [UInt8] = []
    private var used = 0

    func find(_ bytes: Span<UInt8>, force: Range<Int>, name: Range<Int>) -> CameraIndex? {
        let hash = Self.hash(bytes, force: force, name: name)
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slots[place]
            if slot.camera == 0 { return nil }
            if slot.hash == hash, matches(slot, bytes, force: force, name: name) { return slot.camera - 1 }
            place = (place + 1) & mask
        }
    }

    mutating func insert(_ camera: Camera, as index: CameraIndex) {
        if used * 2 >= slots.count { grow() }
        let text = Array(camera.force.utf8) + Array(camera.name.utf8)
        let force = 0..<camera.force.utf8.count
        let name = force.upperBound..<text.count
        let hash = Self.hash(text.span, force: force, name: name)
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while slots[place].camera != 0 {
            if slots[place].hash == hash, matches(slots[place], text.span, force: force, name: name) {
                slots[place].camera = index + 1
                return
            }
            place = (place + 1) & mask
        }
        slots[place] = Slot(
            hash: hash,
            start: UInt32(texts.count),
            forceLength: UInt16(force.count),
            nameLength: UInt16(name.count),
            camera: index + 1
        )
        texts += text
        used += 1
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        let mask = slots.count - 1
        for slot in old where slot.camera != 0 {
            var place = Int(truncatingIfNeeded: slot.hash) & mask
            while slots[place].camera != 0 { place = (place + 1) & mask }
            slots[place] = slot
        }
    }

    private func matches(_ slot: Slot, _ bytes: Span<UInt8>, force: Range<Int>, name: Range<Int>) -> Bool {
        guard Int(slot.forceLength) == force.count, Int(slot.nameLength) == name.count else { return false }
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

    /// Multiplies in one byte at a time and mixes at the end; texts are a dozen bytes.
    private static func hash(_ bytes: Span<UInt8>, force: Range<Int>, name: Range<Int>) -> UInt64 {
        var hash: UInt64 = UInt64(force.count)
        for index in force { hash = (hash ^ UInt64(bytes[index])) &* 0x9E37_79B9_7F4A_7C15 }
        for index in name { hash = (hash ^ UInt64(bytes[index])) &* 0x9E37_79B9_7F4A_7C15 }
        return hash ^ hash >> 29
    }
}
