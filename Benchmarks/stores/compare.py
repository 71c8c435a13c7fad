#!/usr/bin/env python3
"""Gives an archive's sightings to other stores and asks each the same, one store after another.

usage: compare.py ANPR ARCHIVE WORK DAYS SEARCHES STORES
"""
import importlib, itertools, os, random, shutil, statistics, sys, time
import rows


def milliseconds(ask, of):
    """The median and the 99th percentile of asking for each."""
    times = timed(ask, of)
    return statistics.median(times), times[len(times) * 99 // 100]


def timed(ask, of):
    times = []
    for one in of:
        begin = time.perf_counter()
        ask(one)
        times.append((time.perf_counter() - begin) * 1000)
    return sorted(times)


def each_file(folder, do):
    """Does something with each of a store's files, opened."""
    for place, _, names in os.walk(folder):
        # No search reads what PostgreSQL has logged.
        for name in [] if place.endswith("/pg_wal") else names:
            path = f"{place}/{name}"
            try:
                if os.path.isfile(path):
                    with open(path, "rb", buffering=0) as file:
                        do(file)
            except FileNotFoundError:
                # A server clears up meanwhile.
                pass


def read_all(folder):
    """Has the system keep a store's files in memory, as far as they fit."""
    def read(file):
        while file.read(1 << 22):
            pass
    each_file(folder, read)


def forget_all(folder):
    """Has the system keep none of a store's files in memory, except what a process has mapped."""
    os.sync()
    each_file(folder, lambda file: os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED))


def cold(store, folder, marks):
    """The median and the worst of asking for each with the store opened anew and nothing of it in memory; opening is not timed."""
    times = []
    for mark in marks:
        store.reopen()
        forget_all(folder)
        times += timed(store.history, [mark])
    return statistics.median(times), max(times)


def guesses(marks, chance):
    for mark in marks:
        place = chance.randrange(len(mark))
        yield mark[:place] + "_" + mark[place + 1:]


def sample_of(files, searches):
    """As many sightings' mark, camera and begin, out of all days alike, no mark twice."""
    import duckdb
    found = []
    for _, parquet in files:
        found += duckdb.execute(
            f"SELECT vrm, camera, first FROM '{parquet}' USING SAMPLE {searches} ROWS (reservoir, 7)").fetchall()
    drawn = random.Random(7).sample(sorted(found), len(found))
    return list({mark: (mark, camera, first) for mark, camera, first in drawn}.values())[:searches]


# Searches before those that are timed: what every search needs is there by then. All are for other sightings.
WARMING, GUESSES, HOURS, COLD = 30, 10, 20, 30


def main():
    anpr, data, work, days, searches, names = sys.argv[1:]
    files, count = rows.hand(anpr, data, rows.days(data)[:int(days)], f"{data}.days")
    sample = iter(sample_of(files, WARMING + GUESSES + HOURS + COLD + int(searches)))
    warming = [mark for mark, _, _ in itertools.islice(sample, WARMING)]
    patterns = list(guesses([mark for mark, _, _ in itertools.islice(sample, GUESSES)], random.Random(7)))
    hours = [(camera, first - 1_800_000, first + 1_800_000) for _, camera, first in itertools.islice(sample, HOURS)]
    unasked = [mark for mark, _, _ in itertools.islice(sample, COLD)]
    marks = [mark for mark, _, _ in sample]
    print(f"{count:,} sightings on {len(files)} days")
    headings = ("mark, p50", "p99", "again", "p99", "one ?, p50", "worst", "camera-hour", "worst", "mark, cold", "worst")
    print(f"{'':12}{'bytes each':>12}{'M/s':>8}" + "".join(f"{one:>12}" for one in headings) + "   ms")
    for name in names.split(","):
        folder = f"{work}/{name}"
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        try:
            store = importlib.import_module(f"in_{name}").Store(folder)
        except (ImportError, OSError) as reason:
            print(f"{name} is left out: {reason}", flush=True)
            continue
        begin = time.perf_counter()
        for day, parquet in files:
            store.load(parquet, day)
        store.finish()
        rate = count / (time.perf_counter() - begin) / 1e6
        read_all(folder)
        timed(store.history, warming)
        asked = ((store.history, marks), (store.history, marks), (store.guess, patterns), (store.hour, hours))
        found = [milliseconds(*one) for one in asked] + [cold(store, folder, unasked)]
        text = "".join(f"{p50:12.2f}{p99:12.2f}" for p50, p99 in found)
        print(f"{name:12}{store.bytes() / count:12.2f}{rate:8.2f}{text}", flush=True)
        store.close()
        # Two of them over a year are more than some disks hold.
        shutil.rmtree(folder)


main()
