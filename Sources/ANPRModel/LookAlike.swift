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
        fileprivate let form: UInt64
        /// The form without its first and without its last character; no mark's of one that is too short.
        private var cuts = (first: UInt64.max, last: UInt64.max)

        /// Makes a mark ready.
        public init(_ vrm: VRM) {
            self.vrm = vrm
            let codes = vrm.codes
            var form: UInt64 = 0
            var last: UInt64 = 0
            var length = 0
            for place in codes.indices {
                let group = UInt64(groups[Int(codes[place])])
                form = form &* 37 &+ group
                if group > 0 {
                    last = group
                    length += 1
                }
            }
            self.form = form
            guard length > LookAlike.edgeLengthMin else { return }
            cuts.first = (form - UInt64(groups[Int(codes[0])]) * VRM.weight) * 37
            cuts.last = form - last * places[length]
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
    public static func form(of vrm: VRM) -> VRM { VRM(trusted: Shape(vrm).form) }

    /// The mark's form without its first and without its last character; nothing for one that is too short.
    public static func cuts(of vrm: VRM) -> [VRM] { Shape(vrm).short }

    /// What the last character's code of a mark of so many characters is worth in the packed mark.
    private static let places: InlineArray<13, UInt64> = [
        0, 177_917_621_779_460_413, 4_808_584_372_417_849, 129_961_739_795_077, 3_512_479_453_921,
        94_931_877_133, 2_565_726_409, 69_343_957, 1_874_161, 50_653, 1369, 37, 1,
    ]

    /// The code of the first character of a character's group, by the character's code: of none, `0`-`9`, `A`-`Z`.
    private static let groups: InlineArray<37, UInt8> = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
        // A to I: B is 8, D is 0, G is 6, I is 1.
        11, 9, 13, 1, 15, 16, 7, 18, 2,
        // J to R: L is 1, O and Q are 0.
        20, 21, 2, 23, 24, 1, 26, 1, 28,
        // S to Z: S is 5, Z is 2.
        6, 30, 31, 32, 33, 34, 35, 3,
    ]
}
