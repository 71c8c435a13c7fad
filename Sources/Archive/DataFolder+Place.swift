import Foundation

/// Where files lie, however they are named.
extension DataFolder {
    /// The data folder that a file lies in, however deep, whether by its own path or by where links lead; `nil` if it lies in none.
    public static func containing(_ path: String) -> String? {
        for var folder in paths(to: path) {
            while let slash = folder.lastIndex(of: "/") {
                folder = String(folder[..<slash])
                if exists("\(folder)/catalogue.sqlite") { return folder }
            }
        }
        return nil
    }

    /// The paths of a file from the root on: as links lead to it, and as it was named.
    ///
    /// A link into a data folder belongs to that folder, and so does a file in a folder of it that is a link to another disk.
    static func paths(to path: String) -> [String] {
        let file = URL(fileURLWithPath: path).standardizedFileURL
        return [file.resolvingSymlinksInPath().path, file.path]
    }
}
