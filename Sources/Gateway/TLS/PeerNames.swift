import NIOCore
import NIOSSL
import SwiftASN1
import X509

/// What the certificate that the other end of a connection showed says who it is.
enum PeerNames {
    /// The certificate's common name and DNS names; none where no certificate was shown.
    ///
    /// The certificate was held against the trusted authorities when the connection was made: one that fails that never
    /// comes so far.
    static func of(_ channel: any Channel) async throws -> Set<String> {
        guard let certificate = try await channel.nioSSL_peerCertificate().get() else { return [] }
        return try names(in: Certificate(derEncoded: certificate.toDERBytes()))
    }

    private static func names(in certificate: Certificate) throws -> Set<String> {
        var names: Set<String> = []
        for part in certificate.subject {
            for attribute in part where attribute.type == .RDNAttributeType.commonName {
                if let name = String(attribute.value) { names.insert(name) }
            }
        }
        for name in try certificate.extensions.subjectAlternativeNames ?? .init() {
            if case .dnsName(let text) = name { names.insert(text) }
        }
        return names
    }
}
