#!/usr/bin/env python3
"""Gives an archive's sightings to other stores and asks each the same.

usage: compare.py ANPR ARCHIVE WORK DAYS SEARCHES STORES
"""
import importlib, os, random, statistics, sys, time
import rows

CAMERAS = "(name VARCHAR, number SMALLINT)"


def milliseconds(ask, of):
    """The median and the 99th percentile of asking for each, after a few for warmth."""
    for one in of[:5]:
        ask(one)
    times = []
    for one in of:
        begin = time.perf_counter()
        ask(one)
        times.append((time.perf_counter() - begin) * 1000)
    times.sort()
    return statistics.median(times), times[len(times) * 99 // 100]


def guesses(marks, chance):
    for mark in marks:
        place = chance.randrange(len(mark))
        yield mark[:place] + "_" + mark[place + 1:]


def main():
    anpr, data, work, days, searches, names = sys.argv[1:]
    import duckdb
    duck = duckdb.connect(f"{work}/handing.duckdb")
    duck.execute(f"CREATE TABLE cameras {CAMERAS}")
    stores = []
    for name in names.split(","):
        try:
            stores.append(importlib.import_module(f"in_{name}").Store(work))
        except (ImportError, OSError) as reason:
            print(f"{name} is left out: {reason}", flush=True)
    taken, count, sample = {store.name: 0.0 for store in stores}, 0, []
    for day in rows.days(data)[:int(days)]:
        own, parquet = f"{work}/own.parquet", f"{work}/day.parquet"
        rows.write_day(anpr, data, day, own)
        rows.as_numbers(duck, own, day, parquet)
        os.remove(own)
        os.chmod(parquet, 0o644)
        count += duck.execute(f"SELECT count(*) FROM '{parquet}'").fetchone()[0]
        sample += duck.execute(f"SELECT vrm, camera, first FROM '{parquet}' USING SAMPLE {searches} ROWS (reservoir, 7)").fetchall()
        for store in stores:
            begin = time.perf_counter()
            store.load(parquet, day)
            taken[store.name] += time.perf_counter() - begin
    for store in stores:
        begin = time.perf_counter()
        store.finish()
        taken[store.name] += time.perf_counter() - begin
    chance = random.Random(7)
    sample = chance.sample(sorted(sample), min(len(sample), int(searches)))
    marks = [mark for mark, _, _ in sample]
    patterns = list(guesses(marks[:10], chance))
    hours = [(camera, first - 1_800_000, first + 1_800_000) for _, camera, first in sample[:20]]
    print(f"{count:,} sightings")
    print(f"{'':12}{'bytes each':>12}{'M/s':>8}{'mark, p50':>12}{'p99':>8}{'one ?, p50':>12}{'worst':>8}{'camera-hour':>13}{'worst':>8}   ms")
    for store in stores:
        found = [milliseconds(*one) for one in ((store.history, marks), (store.guess, patterns), (store.hour, hours))]
        text = "".join(f"{p50:{one}.2f}{p99:8.2f}" for (p50, p99), one in zip(found, (12, 12, 13)))
        print(f"{store.name:12}{store.bytes() / count:12.2f}{count / taken[store.name] / 1e6:8.2f}{text}", flush=True)
        store.close()


main()
