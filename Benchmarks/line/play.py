#!/usr/bin/env python3
"""Plays feeds to a node over TCP, each line when it is due, and writes down when each mark was first sent.

usage: play.py FOLDER SENT FEED=PORT…

Each feed has a connection of its own. At the end waits until the node has acknowledged every byte: all is safe then.
"""
import json, select, socket, sys, time

STEP = 0.01  # lines due within so many seconds go together
PATIENCE = 30  # for the last acknowledgement


class Player:
    def __init__(self, folder, name, port):
        with open(f"{folder}/feeds/{name}.ndjson", "rb") as lines, open(f"{folder}/pieces/{name}.due") as due:
            times = (entry.split() for entry in due)
            self.lines = [(int(moment) / 1000, mark, line) for (moment, mark), line in zip(times, lines)]
        self.next = 0
        self.bytes = 0
        self.heard = b""
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def due(self):
        return self.lines[self.next][0] if self.next < len(self.lines) else None

    def send(self, until, sent, marks):
        """Sends what is due, and notes the marks looked out for that were not sent before."""
        run = []
        while self.next < len(self.lines) and self.lines[self.next][0] <= until:
            _, mark, line = self.lines[self.next]
            run.append(line)
            if mark in marks and mark not in sent:
                sent[mark] = time.monotonic()
            self.next += 1
        self.socket.sendall(b"".join(run))
        self.bytes += sum(map(len, run))
        self.hear()

    def hear(self, timeout=0):
        """Takes in acknowledgements, so that the node never waits for a reader of them."""
        while select.select([self.socket], [], [], timeout)[0]:
            piece = self.socket.recv(65536)
            if not piece:
                raise SystemExit("the node closed a feed's connection")
            self.heard = (self.heard + piece).rsplit(b"\n", 2)[-2:]
            self.heard, timeout = b"\n".join(self.heard), 0

    @property
    def acknowledged(self):
        """The last whole line that was heard."""
        return int(self.heard.split(b"\n")[0] or 0) if b"\n" in self.heard else 0

    def finish(self):
        deadline = time.monotonic() + PATIENCE
        while self.acknowledged < self.bytes:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.bytes - self.acknowledged} bytes of a feed were not acknowledged")
            self.hear(1)
        self.socket.close()


def main():
    folder, sent_path, ports = sys.argv[1], sys.argv[2], sys.argv[3:]
    with open(f"{folder}/plan.json") as file:
        plan = json.load(file)
    players = [Player(folder, name, int(port)) for name, port in (pair.split("=") for pair in ports)]
    start, marks, sent, latest = plan["start"], set(plan["marks"]), {}, 0.0
    if time.monotonic() > start:
        raise SystemExit("the nodes were not ready when the feeds should have begun")
    while dues := [player.due for player in players if player.due is not None]:
        time.sleep(max(0, start + min(dues) + STEP - time.monotonic()))
        now = time.monotonic() - start
        latest = max(latest, now - STEP - min(dues))
        for player in players:
            if player.due is not None and player.due <= now:
                player.send(now, sent, marks)
    for player in players:
        player.finish()
    with open(sent_path, "w") as file:
        json.dump({"sent": sent, "behind": latest, "bytes": sum(player.bytes for player in players)}, file)


main()
