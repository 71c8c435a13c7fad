#!/usr/bin/env python3
"""Says what a run over the narrow line gave, from what was written down, and ends with 1 where a promise was broken.

usage: report.py FOLDER BUDGET_BYTES ALERT_SECONDS

Promises: what the sender hands to the line for the first time is within the budget in any second, wherever that begins; the
archive has the sightings of the reference; no alert takes ALERT_SECONDS or more while the link works.
"""
import collections, json, re, statistics, sys

Packet = collections.namedtuple("Packet", "at where length port sequence data flags handshake fate")
KEYS = "vrm site first last captured force camera confidence direction lane reads contributions".split()


def packets(path):
    with open(path) as file:
        for row in file:
            at, where, length, port, sequence, data, flags, handshake, fate = row.split()
            numbers = map(int, (length, port, sequence, data))
            yield Packet(float(at), where, *numbers, flags, int(handshake), fate)


def split(offered):
    """Each packet's bytes by kind: data for the first time, data again, neither (acknowledgements, beginnings and ends); and
    how many bytes of data were new.

    A packet that brings old and new together counts with its header as new."""
    end, kinds, new = {}, {"first": [], "again": [], "bare": []}, 0
    for packet in offered:
        if packet.data == 0:
            kinds["bare"].append((packet.at, packet.length))
            continue
        last = (packet.sequence + packet.data) & 0xFFFFFFFF
        ahead = (last - end.get(packet.port, packet.sequence)) & 0xFFFFFFFF
        fresh = min(packet.data, ahead) if ahead < 1 << 31 else 0
        if fresh:
            end[packet.port] = last
            new += fresh
            kinds["first"].append((packet.at, packet.length - packet.data + fresh))
            if fresh < packet.data:
                kinds["again"].append((packet.at, packet.data - fresh))
        else:
            kinds["again"].append((packet.at, packet.length))
    return kinds, new


def busiest(events):
    """The most bytes in any second, wherever it begins, and when that was."""
    events = sorted(events)
    most, when, inside, tail = 0, 0.0, 0, 0
    for at, length in events:
        inside += length
        while events[tail][0] <= at - 1:
            inside -= events[tail][1]
            tail += 1
        if inside > most:
            most, when = inside, events[tail][0]
    return most, when


def total(events):
    return sum(length for _, length in events)


def rows(path):
    with open(path) as file:
        return [row.split() for row in file]


def sightings(path):
    """The sightings of a file, each as it was given last."""
    latest = {}
    with open(path) as file:
        for row in map(json.loads, file):
            if row.get("revision", 0) >= latest.get(row["id"], row).get("revision", 0):
                latest[row["id"]] = row
    found = ({key: value for key, value in row.items() if key in KEYS} for row in latest.values())
    return sorted(found, key=lambda sighting: (sighting["first"], sighting["vrm"], sighting["site"]))


def say(name, text):
    print(f"{name:<19}{text}")


class Run:
    def __init__(self, folder, budget, alert_seconds):
        self.folder, self.budget, self.alert_seconds = folder, budget, alert_seconds
        with open(f"{folder}/plan.json") as file:
            self.plan = json.load(file)
        with open(f"{folder}/sent.json") as file:
            self.sent = json.load(file)
        self.start = self.plan["start"]
        self.cut = [self.start + moment for moment in self.plan["cut"]]
        self.packets = list(packets(f"{folder}/record"))
        self.waiting = [(float(at), int(count)) for at, count, _ in rows(f"{folder}/outbox")]
        self.noticed, self.resumed = self.after_the_cut()
        self.count = len(sightings(f"{folder}/reference.ndjson"))
        # What two seconds bring is under way or on its way to be acknowledged without any backlog.
        usual = 2 * self.count / self.plan["seconds"]
        self.drained = min(at for at, count in self.waiting if at > self.resumed and count <= usual)
        self.broken = []

    def after_the_cut(self):
        """When the gateway's first data came through after the cut, and when the first behind TLS's greeting did: from
        then on the link carries messages."""
        noticed, greetings = None, {}
        for packet in self.at("near"):
            if packet.at < self.cut[1] or packet.data == 0:
                continue
            if packet.handshake:
                greetings[packet.port] = packet.sequence + packet.handshake
            if packet.fate not in ("-", "held"):
                continue
            noticed = noticed or packet.at
            behind = (packet.sequence - greetings.get(packet.port, packet.sequence)) & 0xFFFFFFFF
            if not packet.handshake and behind < 1 << 31:
                return noticed, packet.at
        raise SystemExit("the link did not go on after the cut")

    def at(self, where):
        return [packet for packet in self.packets if packet.where == where]

    def reads(self):
        rate = self.plan["reads"] / self.plan["seconds"]
        say("reads", f"{self.plan['reads']:,} of five forces in {self.plan['seconds']} s, {rate:.0f} a second")
        if self.sent["behind"] > 0.5:
            say("", f"the player was up to {self.sent['behind']:.1f} s behind: this machine was busy")

    def archive(self):
        ours, theirs = sightings(f"{self.folder}/archive.ndjson"), sightings(f"{self.folder}/reference.ndjson")
        if ours == theirs:
            return say("sightings", f"{self.count:,}; the archive's are equal to the reference")
        self.broken.append("the archive differs from the reference")
        say("sightings", f"{self.count:,} by the reference, {len(ours):,} in the archive: they differ")
        for expected, found in zip(theirs, ours):
            if expected != found:
                print(f"  expected {json.dumps(expected)}\n  found    {json.dumps(found)}")
                break

    def sender(self):
        """What the gateway handed to the line, seen before the shaper: the promise is about what it sends for the first
        time; what TCP sends again, and acknowledgements without data, are the kernel's."""
        kinds, new = split(self.at("offered"))
        again = [event for event in kinds["again"] if not self.cut[0] <= event[0] < self.cut[1]]
        first = total(kinds["first"])
        each, alone = first / self.count, new / self.count
        say("sent", f"{first:,} bytes for the first time, {each:.1f} a sighting ({alone:.1f} without TCP and IP)")
        cut = total(kinds["again"]) - total(again)
        say("  again", f"{total(again):,} bytes while the line was up, {cut:,} during the cut")
        say("  without data", f"{total(kinds['bare']):,} bytes in {len(kinds['bare']):,} packets")
        most, when = busiest(kinds["first"])
        with_bare, whole = busiest(kinds["first"] + kinds["bare"])[0], busiest(sum(kinds.values(), []))[0]
        verdict = "within" if most <= self.budget else "ABOVE"
        say("busiest second", f"{most:,} bytes for the first time, {verdict} the budget of {self.budget:,}")
        say("", f"(from {when - self.start:.1f} s on); {with_bare:,} with packets without data,")
        say("", f"{whole:,} with all that TCP sent again")
        if most > self.budget:
            self.broken.append("the sender went above its budget")

    def line(self):
        """What the shapers let out, and what became of it: a burst of one packet apart, no more than the rate."""
        with open(f"{self.folder}/shaper") as file:
            dropped = re.search(r"dropped (\d+)", file.read())[1]
        for side, name in (("near", "to the archive"), ("far", "to the gateway")):
            carried = self.at(side)
            fates = collections.Counter(packet.fate for packet in carried)
            most, _ = busiest([(packet.at, packet.length) for packet in carried])
            size = sum(packet.length for packet in carried)
            fate = f"{fates['lost']} lost, {fates['held']} held back, {fates['cut']} cut off"
            say(name, f"{size:,} bytes in {len(carried):,} packets: {fate};")
            drops = f", and dropped {dropped} packets" if side == "near" else ""
            say("", f"the shaper let {most:,} bytes out in its busiest second{drops}")

    def backlog(self):
        most = max(count for at, count in self.waiting if at < self.drained)
        long = self.cut[1] - self.cut[0]
        found, connected = self.noticed - self.cut[1], self.resumed - self.noticed
        say("cut", f"{long:.0f} s; that the line was back was noticed after {found:.1f} s, and the link went on {connected:.1f} s later")
        say("backlog", f"{most:,} sightings at its largest, gone {self.drained - self.resumed:.1f} s after the link went on")

    def alerts(self):
        """Latencies from the sending of a mark's first read to its alert."""
        sent = self.sent["sent"]
        gateway = first_alerts(f"{self.folder}/gateway.alerts", sent)
        archive = first_alerts(f"{self.folder}/archive.alerts", sent)
        raised = spread([gateway[vrm] - sent[vrm] for vrm in gateway])
        say("alerts", f"{len(sent)} marks looked out for; {raised} at the gateway")
        periods = self.periods(sent, archive)
        for name, latencies in periods.items():
            say(f"  {name}", spread(latencies))
        missing = len(sent.keys() - archive.keys())
        if missing:
            self.broken.append(f"{missing} alerts did not come to the archive")
        judged = periods["before the cut"] + periods["while it drained"] + periods["afterwards"]
        if judged and max(judged) >= self.alert_seconds:
            slow = sum(latency >= self.alert_seconds for latency in judged)
            self.broken.append(f"{slow} of {len(judged)} alerts took {self.alert_seconds:.0f} s or more")

    def periods(self, sent, archive):
        """Alerts by when their read came. What came while the line was cut, or so shortly before that the alert fell into
        the cut, could not be on time, nor what came before the link had noticed that the line was back and was through with
        TLS's handshake: those are counted from then on."""
        found = {name: [] for name in ("before the cut", "in the cut", "while it drained", "afterwards")}
        for vrm, arrived in archive.items():
            if sent[vrm] < self.cut[0] - self.alert_seconds:
                found["before the cut"].append(arrived - sent[vrm])
            elif sent[vrm] < self.resumed:
                found["in the cut"].append(max(0, arrived - self.resumed))
            elif sent[vrm] < self.drained:
                found["while it drained"].append(arrived - sent[vrm])
            else:
                found["afterwards"].append(arrived - sent[vrm])
        return found


def first_alerts(path, marks):
    """When each mark was reported, the first time."""
    found = {}
    for at, vrm, *_ in rows(path):
        if vrm in marks:
            found.setdefault(vrm, float(at))
    return found


def spread(latencies):
    if not latencies:
        return "none"
    return f"{len(latencies)}: {statistics.median(latencies):.2f} s (half), {max(latencies):.2f} s (worst)"


def main():
    run = Run(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
    for part in (run.reads, run.archive, run.sender, run.line, run.backlog, run.alerts):
        part()
    if run.broken:
        print("NOT HELD: " + "; ".join(run.broken))
        sys.exit(1)
    print("held")


main()
