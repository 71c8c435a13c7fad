package import Archive
package import Deduplication
package import FeedDecoding
package import Forwarding
package import Foundation

/// What a node is told in its configuration file.
package struct NodeConfiguration: Sendable {
    /// A force and its name.
    package struct Force: Sendable, Equatable {
        /// The code in reads.
        package var code: String
        /// The name for people.
        package var name: String
    }

    /// An address to listen on.
    package struct Address: Sendable, Hashable {
        /// The name or number of the host.
        package var host: String
        /// The port; 0 for one that the system chooses.
        package var port: Int

        /// An address.
        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// Both as text.
        package var text: String { "\(host):\(port)" }
    }

    /// Where a feed's bytes come from.
    package enum FeedSource: Sendable, Equatable {
        /// A file, read by `ingest`.
        case file
        /// Posts to `/v1/feeds/NAME` of the node's HTTP interface.
        case http
        /// The capture service of the UK back office, for readers that sign with the feed's token.
        case bof2
        /// Lines over TCP; told how many bytes are safe if `acknowledges`.
        case tcp(Address, acknowledges: Bool)
        /// Files put into a folder.
        case directory(DropFolderRules)
        /// Standard input.
        case input

        /// Whether `serve` takes it.
        package var isLive: Bool { self != .file }

        /// Whether reads come as they are captured, not gathered in files.
        package var arrivesAtOnce: Bool {
            switch self {
            case .http, .bof2, .tcp: true
            case .file, .directory, .input: false
            }
        }
    }

    /// How a drop folder is worked off.
    package struct DropFolderRules: Sendable, Equatable {
        /// Where files go that were taken in.
        package var done: String
        /// Where files go that could not be used at all.
        package var rejected: String
        /// How long a file's size must have stayed the same before it counts as whole, in milliseconds.
        package var settle: Int64
    }

    /// Who may post to a feed.
    package struct FeedToken: Sendable, Equatable {
        /// The SHA-256 of the token; the token itself is nowhere kept.
        package var sha256: [UInt8]
        /// Whether it may come as `?token=` from a camera that knows no headers.
        package var isTakenFromQuery: Bool
    }

    /// A feed and what it may do.
    package struct Feed: Sendable, Equatable {
        /// Its name, unique in the node.
        package var name: String
        /// The forces it may speak for.
        package var forces: Set<String>
        /// The file or directory it comes from, relative to the configuration file.
        package var path: String?
        /// How it is written; `nil` to tell by the file's extension.
        package var format: FeedFormat?
        /// The zone of times without an offset.
        package var timeZone: String?
        /// The camera of all its reads, for formats that name none.
        package var camera: String?
        /// Which of day and month comes first in its dates.
        package var dateOrder: DateOrder?
        /// Whether its epochs are local times as if UTC.
        package var epochIsLocal = false
        /// How its records become reads, for the format `mapped`.
        package var mapping: FeedMapping?
        /// Where it comes from.
        package var source = FeedSource.file
        /// The secret that lets a client post to it, if one does.
        package var token: FeedToken?
        /// The name in a client's certificate that lets it post, if one does; either this or the token is enough.
        package var clientCertificate: String?
        /// The longest body of one post, unpacked, in bytes.
        package var bodyMax = 64 << 20
        /// Which of its images are kept: as the node has it.
        package var images = NodeConfiguration.imagesDefault
    }

    /// Where sightings are sent on.
    package struct Forward: Sendable, Equatable {
        /// The next node's addresses, at least one: the next is tried when one can't be reached.
        package var addresses: [Address]
        /// What proves to the next node who this is and the other way round; without it the link is plain.
        package var tls: TLSFiles?
        /// What the line may carry; without it as much as it takes.
        package var budget: LinkRates?
        /// Where the times of day of `budget` are those of.
        package var zone = TimeZone.gmt
        /// How long sightings may wait for others to go with, in milliseconds.
        package var maxDelay: Int64 = 1000
        /// Whether the patches of best reads follow when nothing else waits; overviews never do.
        package var pushesPatches = false

        /// Sightings go to the first of these that can be reached.
        package init(addresses: [Address], tls: TLSFiles? = nil) {
            self.addresses = addresses
            self.tls = tls
        }

        /// The first address as text: by it the link is known.
        package var text: String { addresses[0].text }
    }

    /// What a node takes from links.
    package struct Receive: Sendable, Equatable {
        /// A node that may connect.
        package struct Gateway: Sendable, Equatable {
            /// Its name.
            package var node: String
            /// The forces it may speak for.
            package var forces: Set<String>
        }

        /// The address to listen on.
        package var host: String
        package var port: Int
        /// How long a silent gateway holds the others back, in milliseconds.
        package var idleAfter: Int64
        /// Who may connect.
        package var gateways: [Gateway]
        /// What gateways must prove themselves against; without it links are plain.
        package var tls: TLSFiles?
    }

    /// The file it was read from.
    package var path = ""
    /// The node's name.
    package var node = ""
    /// The data folder.
    package var data = ""
    /// The forces whose reads the node takes in.
    package var forces: [Force] = []
    /// The camera register's file, or `nil` when the node only receives.
    package var cameras: String?
    /// The feeds.
    package var feeds: [Feed] = []
    /// Where the HTTP interface listens, if there is one.
    package var http: Address?
    /// What the HTTP interface shows its clients and whom it trusts; without it the interface is plain.
    package var httpTLS: TLSFiles?
    /// So many bytes of posts may be in work at once; more are told to come again later.
    package var intakeMax = 256 << 20
    /// How long a silent feed holds the others back, in milliseconds.
    package var idleAfter: Int64 = 30_000
    /// How reads become sightings.
    package var deduplication = DeduplicationRules(variants: .link)
    /// How far in the future a read may lie, in milliseconds.
    package var futureSkew: Int64 = 60_000
    /// Where sightings go.
    package var forward: [Forward] = []
    /// What comes from other nodes.
    package var receive: Receive?
    /// Which images that come with reads are kept.
    package var images = NodeConfiguration.imagesDefault
    /// Where the key comes from that wraps those of the archive; `nil` for a file of the data folder's own.
    package var masterKey: MasterKeySource?
    /// Whether what goes to the archive is encrypted.
    package var isEncrypted = true
    /// How long things are kept.
    package var retention = RetentionPolicy()
    /// How often a running node deletes what is past its date, in milliseconds.
    package var retentionEvery: Int64 = 86_400_000
    /// Which vehicles it looks out for, if any.
    package var interest: Interest?

    /// All images are kept: patches of up to 64 KiB, overviews of up to 1 MiB.
    package static let imagesDefault = ImageRules(plateMax: 64 << 10, overviewMax: 1 << 20)

    /// Who reads the sighting log, by the names of their cursors; what all have passed may go.
    package var logReaders: [String] {
        forward.map { "forward:\($0.text)" } + (interest == nil ? [] : [Self.alertReader])
    }

    /// The cursor of those who look out for vehicles of interest.
    package static let alertReader = "alerts"

    /// A node that was told nothing.
    package init() {}
}
