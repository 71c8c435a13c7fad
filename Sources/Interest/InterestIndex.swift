public import ANPRModel

/// Finds the entries of all lists that a mark matches.
///
/// - Complexity: one look-up a mark without a hit, four where a list takes look-alikes; some 100 bytes an entry beside its
///   texts.
public struct InterestIndex: Sendable {
    /// An entry that a mark matches.
    public struct Hit: Sendable, Equatable {
        /// The list's place.
        public var list: Int
        /// The entry's place in the list.
        public var entry: Int
        /// Whether the marks are the same, or only alike.
        public var isExact: Bool
    }

    private struct Place: Sendable {
        var list: UInt32
        var entry: UInt32
    }

    /// The lists, as given.
    public let lists: [InterestList]
    private var exact: [UInt64: [Place]] = [:]
    /// Of lists that take look-alikes: by form, and by the form short of a character at an edge.
    private var forms: [UInt64: [Place]] = [:]
    private var cuts: [UInt64: [Place]] = [:]

    /// An index of lists.
    public init(_ lists: [InterestList] = []) {
        self.lists = lists
        for (list, content) in lists.enumerated() {
            for (entry, one) in content.entries.enumerated() {
                let place = Place(list: UInt32(list), entry: UInt32(entry))
                exact[one.vrm.packed, default: []].append(place)
                guard content.takesAlike else { continue }
                let form = LookAlike.form(of: one.vrm)
                forms[form.packed, default: []].append(place)
                for cut in Set(LookAlike.cuts(of: form)) { cuts[cut.packed, default: []].append(place) }
            }
        }
    }

    /// How many entries there are.
    public var count: Int { lists.reduce(0) { $0 + $1.entries.count } }

    /// The entry of a hit.
    public func entry(_ hit: Hit) -> InterestEntry { lists[hit.list].entries[hit.entry] }

    /// The entries that a mark seen at a moment matches, those of the same mark first.
    ///
    /// An entry past its weed date at that moment is left out.
    public func hits(_ vrm: VRM, at moment: Timestamp) -> [Hit] {
        var hits: [Hit] = []
        if let places = exact[vrm.packed] { add(places, isExact: true, moment, &hits) }
        guard !forms.isEmpty else { return hits }
        let form = LookAlike.form(of: vrm)
        if let places = forms[form.packed] { add(places, isExact: false, moment, &hits) }
        if let places = cuts[form.packed] { add(places, isExact: false, moment, &hits) }
        for cut in LookAlike.cuts(of: form) {
            if let places = forms[cut.packed] { add(places, isExact: false, moment, &hits) }
        }
        return hits
    }

    private func add(_ places: [Place], isExact: Bool, _ moment: Timestamp, _ hits: inout [Hit]) {
        for place in places {
            let hit = Hit(list: Int(place.list), entry: Int(place.entry), isExact: isExact)
            if let weeded = entry(hit).weeded, moment >= weeded { continue }
            // A form can be reached in two ways, and by the very mark.
            if hits.contains(where: { $0.list == hit.list && $0.entry == hit.entry }) { continue }
            hits.append(hit)
        }
    }
}
