import Archive
import ArgumentParser
import Gateway

/// `--config` and `--data`, as most commands take them.
struct ConfigurationOption: ParsableArguments {
    @Option(help: "The node's configuration (YAML).")
    var config: String

    @Option(help: "The data folder. (default: as the configuration says)")
    var data: String?

    /// The configuration, or all that is wrong with it.
    func read() throws -> NodeConfiguration {
        do {
            var configuration = try NodeConfiguration.read(config)
            if let data { configuration.data = data }
            return configuration
        } catch let refused as ConfigurationRefused {
            Console.note("\(refused)")
            throw CommandInput.unusableInput
        }
    }
}

/// `--data`, or `--config` to find it by.
struct DataOption: ParsableArguments {
    @Option(help: "The node's data folder.")
    var data: String?

    @Option(help: "The node's configuration, which names the folder.")
    var config: String?

    func validate() throws {
        if data == nil, config == nil { throw ValidationError("Give --data or --config.") }
    }

    /// The folder, which must be a node's.
    func folder() throws -> String {
        var folder = data ?? ""
        if data == nil, let config {
            do {
                folder = try NodeConfiguration.read(config).data
            } catch let refused as ConfigurationRefused {
                Console.note("\(refused)")
                throw CommandInput.unusableInput
            }
        }
        return try Self.existing(folder)
    }

    /// A folder, if it is a node's.
    static func existing(_ folder: String) throws -> String {
        guard DataFolder.exists("\(folder)/catalogue.sqlite") else {
            Console.note("\(folder): not a node's data folder: there is no catalogue in it")
            throw CommandInput.unusableInput
        }
        return folder
    }
}
