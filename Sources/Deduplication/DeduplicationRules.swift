/// What makes reads one sighting, and how long the stream waits for them.
public struct DeduplicationRules: Codable, Sendable, Equatable {
    /// The rule at one site.
    public struct Window: Codable, Sendable, Equatable {
        /// The most milliseconds from a sighting's first read to any other; anchored at the first, never extended.
        public var window: Int64
        /// The most milliseconds from one read to the next; by default the window.
        public var gap: Int64

        /// A rule of one site; both in milliseconds.
        public init(window: Int64, gap: Int64? = nil) {
            self.window = window
            self.gap = gap ?? window
        }
    }

    /// The rule where a site has none of its own, 10 s by default.
    public var window: Window
    /// Sites, by name, with a rule of their own.
    public var sites: [String: Window]
    /// How far, in milliseconds, a feed may be out of order without any effect, 2 min by default.
    public var lateness: Int64
    /// How long, in milliseconds before the watermark, closed sightings can still be amended, 24 h by default.
    public var reconcile: Int64
    /// The most closed sightings remembered for that, 20 million by default.
    ///
    /// Holds whatever `reconcile` says: it is the bound on memory, at some 150 bytes each.
    public var reconcileCount: Int

    /// What is done about misreads, nothing by default.
    public var variants: VariantMode

    /// Rules; everything in milliseconds.
    public init(
        window: Window = Window(window: 10_000),
        sites: [String: Window] = [:],
        lateness: Int64 = 120_000,
        reconcile: Int64 = 86_400_000,
        reconcileCount: Int = 20_000_000,
        variants: VariantMode = .off
    ) {
        self.window = window
        self.sites = sites
        self.lateness = lateness
        self.reconcile = reconcile
        self.reconcileCount = reconcileCount
        self.variants = variants
    }

    /// Reads rules that were kept; before there were variants nothing was done about misreads.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        window = try members.decode(Window.self, forKey: .window)
        sites = try members.decode([String: Window].self, forKey: .sites)
        lateness = try members.decode(Int64.self, forKey: .lateness)
        reconcile = try members.decode(Int64.self, forKey: .reconcile)
        reconcileCount = try members.decode(Int.self, forKey: .reconcileCount)
        variants = try members.decodeIfPresent(VariantMode.self, forKey: .variants) ?? .off
    }

    /// The longest window of any site.
    package var windowMax: Int64 { sites.values.reduce(window.window) { max($0, $1.window) } }
}
