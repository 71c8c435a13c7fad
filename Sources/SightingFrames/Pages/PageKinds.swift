/// The kinds of what a page says besides the columns that frames have.
public enum PageKinds {
    /// Which parts have sightings of a mark.
    static let parts = CodedColumns.kinds
    /// What is told of the lengths of columns.
    static let told = CodedColumns.kinds + 2
    /// How many sightings there are of a mark.
    static let repeats = CodedColumns.kinds + 4
    /// The upper bits of the time of a mark's first sighting; how long after it the next one was.
    static let time = CodedColumns.kinds + 6
    static let delay = CodedColumns.kinds + 7
    /// As many as a codebook of pages must have.
    public static let count = CodedColumns.kinds + 8
}
