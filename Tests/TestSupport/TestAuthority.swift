import Crypto
import Foundation
import SwiftASN1
import X509

/// An authority that signs certificates for one test; made anew each time, so that no key lies in the sources.
public struct TestAuthority {
    /// A certificate and its key.
    public struct Identity: Sendable {
        /// The certificate in PEM.
        public let certificate: String
        /// Its private key in PEM.
        public let key: String
    }

    /// The authority's own certificate in PEM.
    public let certificate: String
    private let name: DistinguishedName
    private let key = P256.Signing.PrivateKey()

    /// Makes an authority.
    public init(_ commonName: String) throws {
        name = try DistinguishedName { CommonName(commonName) }
        let own = try Self.certificate(
            of: name,
            key: key.publicKey,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true))
            },
            issuer: name,
            signedBy: key
        )
        certificate = try own.serializeAsPEM().pemString
    }

    /// Signs a certificate for either end of a connection.
    ///
    /// - Parameter isLocal: whether this machine's number is among its names.
    public func issue(_ commonName: String, dnsNames: [String] = [], isLocal: Bool = true) throws -> Identity
    {
        let own = P256.Signing.PrivateKey()
        let loopback = GeneralName.ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1]))
        let issued = try Self.certificate(
            of: DistinguishedName { CommonName(commonName) },
            key: own.publicKey,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                SubjectAlternativeNames((isLocal ? [loopback] : []) + dnsNames.map { .dnsName($0) })
            },
            issuer: name,
            signedBy: key
        )
        return Identity(certificate: try issued.serializeAsPEM().pemString, key: own.pemRepresentation)
    }

    private static func certificate(
        of subject: DistinguishedName,
        key: P256.Signing.PublicKey,
        extensions: Certificate.Extensions,
        issuer: DistinguishedName,
        signedBy signer: P256.Signing.PrivateKey
    ) throws -> Certificate {
        let now = Date()
        return try Certificate(
            version: .v3,
            serialNumber: .init(),
            publicKey: .init(key),
            notValidBefore: now.addingTimeInterval(-3600),
            notValidAfter: now.addingTimeInterval(86_400),
            issuer: issuer,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: extensions,
            issuerPrivateKey: .init(signer)
        )
    }
}
