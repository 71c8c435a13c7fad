package import Archive
package import Deduplication
package import FeedDecoding

/// What a node is told in its configuration file.
package struct NodeConfiguration: Sendable {
    /// A force and its name.
    package struct Force: Sendable, Equatable {
        /// The code in reads.
        package var code: String
        /// The name for people.
        package var name: String
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
    }

    /// Where sightings are sent on.
    package struct Forward: Sendable, Equatable {
        /// The next node's address.
        package var host: String
        package var port: Int

        /// The address as text.
        package var text: String { "\(host):\(port)" }
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
    }

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
    /// How reads become sightings.
    package var deduplication = DeduplicationRules()
    /// How far in the future a read may lie, in milliseconds.
    package var futureSkew: Int64 = 60_000
    /// Where sightings go.
    package var forward: [Forward] = []
    /// What comes from other nodes.
    package var receive: Receive?
    /// How long things are kept.
    package var retention = RetentionPolicy()

    /// A node that was told nothing.
    package init() {}
}
