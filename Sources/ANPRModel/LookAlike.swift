/// Marks that a camera takes for one another.
///
/// Two different marks are alike when each character looks like the other's at the same place (`0ODQ`, `1IL`, `2Z`,
/// `5S`, `6G`, `8B`), or when one has one character more at either edge and the rest looks alike.
public enum LookAlike {
    /// What is left of a mark that lost a character at its edge must still have so many: shorter ones fit too many.
    public static let edgeLengthMin = 5

    /// Whether two different marks are alike.
    public static func areAlike(_ one: VRM, _ other: VRM) -> Bool {
        guard one != other else { return false }
        let forms = (form(of: one), form(of: other))
        return forms.0 == forms.1 || cuts(of: forms.0).contains(forms.1)
            || cuts(of: forms.1).contains(forms.0)
    }

    /// The mark with each character replaced by the first of its group: equal for marks that differ in nothing else.
    public static func form(of vrm: VRM) -> VRM {
        var form: UInt64 = 0
        let codes = vrm.codes
        for place in codes.indices { form = form &* 37 &+ UInt64(group(codes[place])) }
        return VRM(trusted: form)
    }

    /// A form without its first and without its last character; nothing for one that is too short.
    public static func cuts(of form: VRM) -> [VRM] {
        let length = form.length
        guard length > edgeLengthMin else { return [] }
        let withoutFirst = form.packed % VRM.weight * 37
        var lastPlace: UInt64 = 1
        for _ in length..<VRM.lengthMax { lastPlace *= 37 }
        let withoutLast = form.packed - form.packed / lastPlace % 37 * lastPlace
        return [VRM(trusted: withoutFirst), VRM(trusted: withoutLast)]
    }

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
