import Foundation
import NIOCore
import NIOSSL

/// The PEM files of one end of TLS connections: what it shows, and whom it trusts.
package struct TLSFiles: Sendable, Equatable {
    /// Its own certificate, then those between it and its authority.
    package var certificate: String
    /// The certificate's private key.
    package var key: String
    /// The authorities that the other end's certificate must come from; without them none is asked for.
    package var trust: String?
    /// The name that the other end's certificate must bear, where that is not the host it is reached by.
    package var serverName: String?
}

/// Why a PEM file can't be used.
struct TLSFault: Error, CustomStringConvertible {
    var description: String
}

extension TLSFiles {
    /// A daemon that stops waits so long for the other end's good-bye.
    private static let shutdownTimeout = TimeAmount.seconds(1)

    /// The certificates of a file, in order.
    static func certificates(_ path: String) throws(TLSFault) -> [NIOSSLCertificate] {
        let bytes = try contents(path)
        guard let found = try? NIOSSLCertificate.fromPEMBytes(bytes), !found.isEmpty else {
            throw TLSFault(description: "\(path) holds no certificate in PEM")
        }
        return found
    }

    /// The private key of a file.
    static func privateKey(_ path: String) throws(TLSFault) -> NIOSSLPrivateKey {
        let bytes = try contents(path)
        guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
            throw TLSFault(description: "\(path) holds no private key in PEM without a passphrase")
        }
        return key
    }

    private static func contents(_ path: String) throws(TLSFault) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TLSFault(description: "\(path) can't be read")
        }
        return Array(data)
    }

    /// Checks that the key is the certificate's.
    func checkPair() throws(TLSFault) {
        do {
            _ = try NIOSSLContext(configuration: serverConfiguration(clients: .none))
        } catch let fault as TLSFault {
            throw fault
        } catch {
            throw TLSFault(description: "\(key) is not the key of \(certificate)")
        }
    }

    /// What a server does.
    ///
    /// - Parameter clients: what is asked of clients where there are authorities to trust.
    func serverConfiguration(clients: CertificateVerification) throws(TLSFault) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try Self.certificates(certificate).map { .certificate($0) },
            privateKey: .privateKey(try Self.privateKey(key))
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.shutdownTimeout = Self.shutdownTimeout
        if let trust {
            configuration.trustRoots = .certificates(try Self.certificates(trust))
            configuration.certificateVerification = clients
            // So that a client with several certificates knows which to show.
            configuration.sendCANameList = true
        }
        return configuration
    }

    /// The end of a link that takes.
    func receiver() throws -> NIOSSLContext {
        // Both ends are this program, so nothing older is needed.
        var configuration = try serverConfiguration(clients: .noHostnameVerification)
        configuration.minimumTLSVersion = .tlsv13
        return try NIOSSLContext(configuration: configuration)
    }

    /// The end of a link that gives.
    func sender() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateChain = try Self.certificates(certificate).map { .certificate($0) }
        configuration.privateKey = .privateKey(try Self.privateKey(key))
        configuration.minimumTLSVersion = .tlsv13
        configuration.shutdownTimeout = Self.shutdownTimeout
        if let trust { configuration.trustRoots = .certificates(try Self.certificates(trust)) }
        return try NIOSSLContext(configuration: configuration)
    }

    /// The name to ask for and to hold the other end's certificate against.
    ///
    /// - Returns: `nil` where only a number is known; the certificate must then bear that.
    func name(of host: String) -> String? { serverName ?? (Self.isNumber(host) ? nil : host) }

    /// Whether a host is given by its number.
    static func isNumber(_ host: String) -> Bool { (try? SocketAddress(ipAddress: host, port: 0)) != nil }
}
