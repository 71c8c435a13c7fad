#!/usr/bin/env python3
"""Writes down how many sightings wait in a node's outbox; ends when, after the feeds' end, all has closed and gone.

usage: outbox.py ANPR DATA PORT PLAN SENT OUT DEADLINE

SENT is there when the feeds have been played to their end.

DEADLINE is in seconds after the feeds' end: later than that the outbox counts as stuck, with status 1.
"""
import json, os, subprocess, sys, time, urllib.request

INTERVAL = 0.5


def main():
    anpr, data, port, plan_path, sent, out, deadline = sys.argv[1:]
    with open(plan_path) as file:
        plan = json.load(file)
    end = plan["start"] + plan["seconds"]
    with open(out, "w", buffering=1) as file:
        while True:
            now = time.monotonic()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/status") as answer:
                node = json.load(answer)
            shown = subprocess.run([anpr, "status", "--data", data, "--json"], capture_output=True, check=True)
            folder = json.loads(shown.stdout)
            waiting = folder["links"][0]["waiting"] if folder["links"] else folder["logged"]
            file.write(f"{now:.3f} {waiting} {folder['logged']}\n")
            is_open = node["waitingReads"] + node["openSightings"] + node["unlogged"] > 0
            if now > end and os.path.exists(sent) and not is_open and waiting == 0:
                return
            if now > end + float(deadline):
                raise SystemExit(f"{waiting} sightings still wait, {node['openSightings']} are open")
            time.sleep(max(0, now + INTERVAL - time.monotonic()))


main()
