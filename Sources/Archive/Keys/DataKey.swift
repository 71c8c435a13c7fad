import SightingFrames

/// Names a key: that of one force's data of one day, or of one file that has the data of several.
///
/// When part of that data goes, what is left is written under another key, and this one is destroyed: by that, what went is gone from
/// every copy there is.
public struct DataKeyName: Hashable, Sendable, Comparable {
    /// Counted from 1970-01-01.
    public var day: Int32
    /// The force, by code; empty of a file's key.
    public var force: String
    /// Tells it from other keys of the same day and force; drawn, not 0.
    public var number: UInt32

    /// Whether it closes one file, and no sections of any; no force's code is empty.
    public var isOfFile: Bool { force.isEmpty }

    /// What it closes, for those who are told that it doesn't.
    var closed: String { isOfFile ? "a file of day \(day)" : "force \(force)'s day \(day)" }

    /// The bytes of it, which no other name has.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// Appends its bytes: day, number, the length of the force's code, and that.
    func append(to bytes: inout [UInt8]) {
        LittleEndian.append(UInt32(bitPattern: day), to: &bytes)
        LittleEndian.append(number, to: &bytes)
        LittleEndian.append(UInt16(force.utf8.count), to: &bytes)
        bytes += Array(force.utf8)
    }

    /// A name.
    init(day: Int32, force: String, number: UInt32) {
        self.day = day
        self.force = force
        self.number = number
    }

    /// A new one, for a file that is begun on a day.
    init(ofFile day: Int32) { self.init(day: day, force: "", number: .random(in: 1 ... .max)) }

    /// As written by `append`; `nil` where the bytes end in it.
    ///
    /// - Parameter position: moved behind it.
    package init?(_ bytes: [UInt8], at position: inout Int) {
        guard position + 10 <= bytes.count else { return nil }
        day = Int32(bitPattern: LittleEndian.read(bytes, at: position))
        number = LittleEndian.read(bytes, at: position + 4)
        let end = position + 10 + Int(LittleEndian.read(bytes, at: position + 8) as UInt16)
        guard end <= bytes.count,
            let force = String(validating: bytes[position + 10..<end], as: UTF8.self)
        else { return nil }
        self.force = force
        position = end
    }

    /// By day, force and number.
    public static func < (left: Self, right: Self) -> Bool {
        (left.day, left.force, left.number) < (right.day, right.force, right.number)
    }
}
