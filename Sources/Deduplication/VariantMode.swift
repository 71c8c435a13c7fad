/// What is done about misreads.
public enum VariantMode: String, CaseIterable, Codable, Sendable {
    /// Nothing: every mark is its own vehicle.
    case off
    /// Both sightings stay, each naming the other.
    case link
    /// The weaker goes into the stronger, which keeps its mark among its alternates.
    case merge
}
