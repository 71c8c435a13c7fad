import Yams

extension ConfigurationParser {
    /// The files of `tls`, each read once so that a bad one is said now.
    ///
    /// - Parameters:
    ///   - needsTrust: whether both ends must show a certificate.
    ///   - takesServerName: whether it is the end that connects.
    func tls(_ node: Node?, of what: String, needsTrust: Bool, takesServerName: Bool = false) -> TLSFiles? {
        guard let node else { return nil }
        let known = ["certificate", "key", "trust"] + (takesServerName ? ["serverName"] : [])
        let members = reader.members(node, of: "tls of \(what)", known: known)
        let path = { (name: String, isNeeded: Bool) -> String? in
            guard isNeeded || members[name] != nil else { return nil }
            return reader.text(members[name], "\(name) of \(what)", in: node).map(resolved)
        }
        let trust = path("trust", needsTrust)
        if let trust {
            check("trust", of: what, members) { () throws(TLSFault) in _ = try TLSFiles.certificates(trust) }
        }
        guard let certificate = path("certificate", true), let key = path("key", true) else {
            // The other one is still looked for, so that both are said.
            if members["certificate"] == nil { _ = path("key", true) }
            return nil
        }
        let files = TLSFiles(
            certificate: certificate,
            key: key,
            trust: trust,
            serverName: serverName(members["serverName"], of: what)
        )
        let isShown = check("certificate", of: what, members) { () throws(TLSFault) in
            _ = try TLSFiles.certificates(certificate)
        }
        let isKept = check("key", of: what, members) { () throws(TLSFault) in _ = try TLSFiles.privateKey(key)
        }
        if isShown, isKept { check("key", of: what, members, files.checkPair) }
        return files
    }

    @discardableResult
    private func check(
        _ name: String,
        of what: String,
        _ members: [String: Node],
        _ work: () throws(TLSFault) -> Void
    ) -> Bool {
        do throws(TLSFault) {
            try work()
            return true
        } catch {
            reader.note("\(name) of \(what): \(error)", at: members[name])
            return false
        }
    }

    private func serverName(_ node: Node?, of what: String) -> String? {
        guard let node, let name = reader.text(node, "serverName of \(what)") else { return nil }
        guard !TLSFiles.isNumber(name) else {
            reader.note("serverName of \(what) must be a name, not a number", at: node)
            return nil
        }
        return name
    }
}
