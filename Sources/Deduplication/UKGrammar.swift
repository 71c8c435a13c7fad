import ANPRModel

/// Whether a mark is written as marks of the United Kingdom are.
///
/// Current (`AB27CDE`), prefix (`A123BCD`), suffix (`ABC123D`), without a date (one to three letters beside one to four
/// digits, Northern Ireland's with them). Only the shape counts, and that current and suffix marks have no `I` or `Q`;
/// whether a mark was ever issued is not known here.
enum UKGrammar {
    static func accepts(_ vrm: VRM) -> Bool {
        let codes = vrm.codes
        var shape: [(isDigit: Bool, count: Int)] = []
        var hasOddLetter = false
        for place in codes.indices {
            let code = codes[place]
            guard code > 0 else { break }
            let isDigit = code <= 10
            // I and Q.
            if code == 19 || code == 27 { hasOddLetter = true }
            if shape.last?.isDigit == isDigit {
                shape[shape.count - 1].count += 1
            } else {
                shape.append((isDigit, 1))
            }
        }
        switch shape.count {
        case 2:
            let letters = shape[0].isDigit ? shape[1].count : shape[0].count
            let digits = shape[0].isDigit ? shape[0].count : shape[1].count
            return letters <= 3 && digits <= 4
        case 3 where !shape[0].isDigit:
            let counts = (shape[0].count, shape[1].count, shape[2].count)
            if counts == (2, 2, 3) { return !hasOddLetter }
            if counts.0 == 1, counts.1 <= 3, counts.2 == 3 { return true }
            return counts.0 == 3 && counts.1 <= 3 && counts.2 == 1 && !hasOddLetter
        default: return false
        }
    }
}
