import ANPRModel
import Access
import Foundation
import Glibc

/// Who is at the terminal, and what time it is.
enum Operator {
    /// The login name behind the process, from the system and not from the environment, which anyone can set.
    static var name: String {
        guard let entry = unsafe getpwuid(getuid()) else { return "uid \(getuid())" }
        return unsafe String(cString: entry.pointee.pw_name)
    }

    /// Now.
    static var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }

    /// The audit log of a data folder.
    static func audit(_ data: String) -> AuditLog { AuditLog("\(data)/audit") }
}
