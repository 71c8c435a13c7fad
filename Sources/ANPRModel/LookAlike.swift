/// Marks that a camera takes for one another.
///
/// Two different marks are alike when each character looks like the other's at the same place (`0ODQ`, `1IL`, `2Z`,
/// `5S`, `6G`, `8B`), or when one has one character more at either edge and the rest looks alike.
public enum LookAlike {
    /// What is left of a mark that lost a character at its edge must still have so many: shorter ones fit too many.
    public static let edgeLengthMin = 5

    /// Whether two different marks are alike.
    public static func areAlike(_ one: VRM, _ other: VRM) -> Bool { Shape(one).isLike(Shape(other)) }

    /// A mark made ready to be held against many others.
    public struct Shape: Sendable {
        private let vrm: VRM
        private let form: UInt64
        /// The form without its first and without its last character; no mark's of one that is too short.
        private var cuts = (first: UInt64.max, last: UInt64.max)

        /// Makes a mark ready.
        public init(_ vrm: VRM) {
            self.vrm = vrm
            let form = LookAlike.form(of: vrm)
            self.form = form.packed
            let length = form.length
            guard length > LookAlike.edgeLengthMin else { return }
            var lastPlace: UInt64 = 1
            for _ in length..<VRM.lengthMax { lastPlace *= 37 }
            cuts.first = form.packed % VRM.weight * 37
            cuts.last = form.packed - form.packed / lastPlace % 37 * lastPlace
        }

        /// Whether the two are different marks that are alike.
        @inline(__always)
        public func isLike(_ other: Shape) -> Bool {
            if form == other.form { return vrm != other.vrm }
            return cuts.first == other.form || cuts.last == other.form || other.cuts.first == form
                || other.cuts.last == form
        }

        fileprivate var short: [VRM] {
            cuts.first == .max ? [] : [VRM(trusted: cuts.first), VRM(trusted: cuts.last)]
        }
    }

    /// The mark with each character replaced by the first of its group: equal for marks that differ in nothing else.
    public static func form(of vrm: VRM) -> VRM {
        var form: UInt64 = 0
        let codes = vrm.codes
        for place in codes.indices { form = form &* 37 &+ UInt64(group(codes[place])) }
        return VRM(trusted: form)
    }

    /// The mark's form without its first and without its last character; nothing for one that is too short.
    public static func cuts(of vrm: VRM) -> [VRM] { Shape(vrm).short }

    /// The code of the first character of a character's group.
    private static func group(_ code: UInt8) -> UInt8 {
        switch code {
        case letter("O"), letter("D"), letter("Q"): digit(0)
        case letter("I"), letter("L"): digit(1)
        case letter("Z"): digit(2)
        case letter("S"): digit(5)
        case letter("G"): digit(6)
        case letter("B"): digit(8)
        default: code
        }
    }

    @inline(__always)
    private static func letter(_ letter: Unicode.Scalar) -> UInt8 { UInt8(letter.value) - 54 }

    @inline(__always)
    private static func digit(_ digit: UInt8) -> UInt8 { digit + 1 }
}
