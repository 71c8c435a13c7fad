#!/usr/bin/env python3
"""Makes of simulated feeds what a player can play now: a piece of each, its times moved to the present, when each line is
due, and marks to look out for.

usage: feed.py cut SIMULATED OUT SKIPPED SECONDS MARKS_A_SECOND MOST_LATE_MS
       feed.py begin OUT LINE_CUT_FROM LINE_CUT_FOR LEAD

`cut` takes the pieces and chooses the marks, which the nodes have to know when they start; `begin`, when they are up, moves
the pieces to LEAD seconds from now and writes the plan.

Simulated feeds are in the order of arrival, but do not say when a line arrived. The latest capture so far in its feed
is that moment to within a fraction of a second, and is what the node's watermark sees too. With MOST_LATE_MS, not 0, a line
that would come later than that after its capture comes then.
"""
import collections, datetime, glob, json, os, re, sys, time

CAPTURED = re.compile(rb'"captured":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)')
SKIMMED_MS = 600_000  # before the piece: what comes late in it was captured in these
PLAINLY_CAPTURED = re.compile(rb'"captured":"([^"]{23}Z)"')  # as nearly all are
FEEDS_BEGIN_MS = 1_794_808_800_000  # 2026-11-16T06:00:00Z, as the simulator has it
TRANSIT_MS = 1000  # from a capture to its arrival, where nothing holds it up


def milliseconds(text):
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without an offset is refused")
    return int(moment.timestamp() * 1000 + 0.5)


def skimmed(file, begin):
    """The lines from some minutes before a moment on; those before are only looked at for their times, which is quick."""
    for line in file:
        found = PLAINLY_CAPTURED.search(line)
        if found and milliseconds(found[1].decode()) >= begin - SKIMMED_MS:
            break
    yield from file


def piece(path, begin, seconds, most_late):
    """The lines of a feed that are due in a piece of time: (due, line, read or None).

    Without what was captured before the piece: where that comes minutes late it is a copy, and the read it is a copy of is
    not here, so that it would count as a read later than any lateness, of which the rule promises less."""
    latest, lines, end = begin - SKIMMED_MS, [], begin + seconds * 1000
    with open(path, "rb") as file:
        for line in skimmed(file, begin):
            try:
                read = json.loads(line)
                captured = milliseconds(read["captured"])
            except (ValueError, KeyError, TypeError):
                read, captured = None, latest
            latest = max(latest, captured)
            due = min(latest, captured + most_late) if most_late else latest
            if begin <= due < end and captured >= begin:
                lines.append((due, line, read))
            if latest > end + most_late:
                break
    lines.sort(key=lambda entry: entry[0])
    return lines


def mark(read):
    return re.sub(r"[ .\-·•]", "", read["vrm"]).upper() if read and isinstance(read.get("vrm"), str) else None


def marks_seen_once(feeds, sites):
    """When each mark of a single passage is first due: all its reads within the window, at one site."""
    seen = collections.defaultdict(list)
    for lines in feeds.values():
        for due, _, read in lines:
            site = read and sites.get((read.get("force"), read.get("camera")))
            if site and mark(read) and mark(read).isascii() and mark(read).isalnum():
                seen[mark(read)].append((milliseconds(read["captured"]), due, site))
    once = {}
    for vrm, reads in seen.items():
        times = [captured for captured, _, _ in reads]
        if max(times) - min(times) <= 5000 and len({site for _, _, site in reads}) == 1:
            once[vrm] = min(due for _, due, _ in reads)
    return once


def chosen(once, begin, seconds, a_second):
    """One mark for each slot: the first that is due in it."""
    slots = {}
    for vrm, due in once.items():
        slot = int((due - begin) * a_second // 1000)
        if 0 <= slot < int(seconds * a_second):
            slots[slot] = min(slots.get(slot, (due, vrm)), (due, vrm))
    return sorted(vrm for _, vrm in slots.values())


def register_sites(path):
    sites = {}
    with open(path) as file:
        next(file)
        for row in file:
            force, camera, site = row.split(",")[:3]
            sites[force, camera] = site or f"{force}/{camera}"
    return sites


def moved(line, shift):
    def later(match):
        moment = datetime.datetime.fromisoformat(match[1].decode()) + datetime.timedelta(seconds=shift)
        return b'"captured":"' + moment.isoformat(timespec="seconds").encode()

    return CAPTURED.sub(later, line, count=1)


def cut(simulated, out, skipped, seconds, a_second, most_late):
    begin, seconds = FEEDS_BEGIN_MS + int(skipped) * 1000, int(seconds)
    feeds = {
        os.path.basename(path)[: -len(".ndjson")]: piece(path, begin, seconds, int(most_late))
        for path in sorted(glob.glob(f"{simulated}/feeds/*.ndjson"))
    }
    once = marks_seen_once(feeds, register_sites(f"{simulated}/cameras.csv"))
    marks = chosen(once, begin, seconds, float(a_second))
    os.makedirs(f"{out}/pieces")
    for name, lines in feeds.items():
        with open(f"{out}/pieces/{name}.ndjson", "wb") as file:
            file.writelines(line for _, line, _ in lines)
        with open(f"{out}/pieces/{name}.due", "w") as file:
            file.writelines(f"{due - begin} {mark(read) or '-'}\n" for due, _, read in lines)
    with open(f"{out}/marks.csv", "w") as file:
        file.write("vrm,reason\n" + "".join(f"{vrm},measured\n" for vrm in marks))
    facts = {"begin": begin, "seconds": seconds, "marks": marks, "reads": sum(map(len, feeds.values()))}
    with open(f"{out}/pieces/facts.json", "w") as file:
        json.dump(facts, file)


def begin(out, line_cut_from, line_cut_for, lead):
    start = int(time.time()) + int(lead)
    with open(f"{out}/pieces/facts.json") as file:
        plan = json.load(file)
    shift = start - TRANSIT_MS // 1000 - plan["begin"] // 1000
    os.makedirs(f"{out}/feeds")
    for path in glob.glob(f"{out}/pieces/*.ndjson"):
        with open(path, "rb") as lines, open(f"{out}/feeds/{os.path.basename(path)}", "wb") as file:
            file.writelines(moved(line, shift) for line in lines)
    plan["start"] = time.monotonic() + start - time.time()
    plan["cut"] = [float(line_cut_from), float(line_cut_from) + float(line_cut_for)]
    # The relay looks for it: it is there whole or not at all.
    with open(f"{out}/plan.new", "w") as file:
        json.dump(plan, file)
    os.rename(f"{out}/plan.new", f"{out}/plan.json")


if __name__ == "__main__":
    {"cut": cut, "begin": begin}[sys.argv[1]](*sys.argv[2:])
