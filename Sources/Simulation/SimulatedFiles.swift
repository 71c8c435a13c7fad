public import ANPRModel

/// The files that go with simulated feeds.
public enum SimulatedFiles {
    /// The camera register as CSV.
    public static func register(_ cameras: [Camera]) -> [UInt8] {
        var text = "force,camera,site,lat,lon,direction,lane\n"
        for camera in cameras {
            let site = camera.site == "\(camera.force)/\(camera.name)" ? "" : camera.site
            let lane = camera.lane.map { String($0) } ?? ""
            let place = "\(degrees(camera.latitude)),\(degrees(camera.longitude))"
            text +=
                "\(camera.force),\(camera.name),\(site),\(place),\(camera.direction?.text ?? ""),\(lane)\n"
        }
        return Array(text.utf8)
    }

    /// What really passed, as CSV.
    public static func truth(_ passages: [TruePassage]) -> [UInt8] {
        var text = "vrm,site,time\n"
        for passage in passages {
            text += "\(passage.vrm),\(passage.site),\(TimestampWriter.text(passage.time))\n"
        }
        return Array(text.utf8)
    }

    /// Configurations to run the collaboration: one gateway or one for each force, and the archive.
    public static func configurations(_ profile: SimulationProfile) -> [(name: String, text: String)] {
        let all = Array(profile.members.indices)
        let gateways = profile.hasGatewayEach ? all.map { [$0] } : [all]
        var files: [(name: String, text: String)] = []
        var nodes: [(node: String, members: [Int])] = []
        for members in gateways {
            let node = profile.hasGatewayEach ? profile.members[members[0]].slug : profile.name
            let name = profile.hasGatewayEach ? "\(node).yaml" : "gateway.yaml"
            nodes.append((node, members))
            files.append((name, gateway(profile, node, members)))
        }
        files.append(("archive.yaml", archive(profile, nodes)))
        return files
    }

    private static func gateway(_ profile: SimulationProfile, _ node: String, _ members: [Int]) -> String {
        var text = """
            # \(profile.story)
            node: \(node)
            data: var/\(node)                 # journal, sightings, archive, quarantine, audit

            forces:                           # each keeps ownership of its reads

            """
        for member in members.map({ profile.members[$0] }) {
            text += "  - { code: \"\(member.code)\", name: \(member.name) }\n"
        }
        text += "cameras: cameras.csv\n\nfeeds:\n"
        for member in members.map({ profile.members[$0] }) {
            text += """
                  - name: \(member.slug)
                    force: "\(member.code)"                       # what this feed may speak for
                    source: file
                    path: feeds/\(member.fileName)

                """
        }
        text += """

            deduplication: { window: 10s, lateness: 2m, reconcile: 24h }

            forward:
              - to: 127.0.0.1:7700            # the archive of archive.yaml

            retention:                        # the first rule that matches decides
            """
        if let first = members.first.map({ profile.members[$0] }) {
            text += "\n  - { when: { force: \"\(first.code)\", confidenceBelow: 40 }, keep: 60mo }"
        }
        text += """

              - { keep: 120mo }               # the national figure is 12mo; a sample has to last longer

            """
        return text
    }

    private static func archive(_ profile: SimulationProfile, _ nodes: [(node: String, members: [Int])])
        -> String
    {
        var text = """
            # The national archive of this collaboration: the same program, fed by links.
            node: national-archive
            data: var/national-archive

            receive:
              listen: 127.0.0.1:7700
              idleAfter: 30s                  # a gateway silent for so long holds the others back no more
              gateways:                       # who may connect, and for which forces each may speak

            """
        for (node, members) in nodes {
            let codes = members.map { "\"\(profile.members[$0].code)\"" }.joined(separator: ", ")
            text += "    - { node: \(node), forces: [\(codes)] }\n"
        }
        text += """

            deduplication: { window: 10s, reconcile: 24h }

            retention:
              - { keep: 120mo }

            """
        return text
    }

    /// Degrees with five decimals, as registers and feeds write them.
    static func degrees(_ e7: Int32) -> String {
        let hundredThousandths = Int(e7) / 100
        let magnitude = abs(hundredThousandths)
        let decimals = String(magnitude % 100_000)
        let zeros = String(repeating: "0", count: 5 - decimals.count)
        return (hundredThousandths < 0 ? "-" : "") + "\(magnitude / 100_000).\(zeros)\(decimals)"
    }
}
