#!/usr/bin/env python3
"""Follows a node's alerts (server-sent events of `GET /v1/alerts`) and writes down when each came, until it is stopped.

usage: follow.py PORT TOKEN OUT
"""
import http.client, json, sys, time


def main():
    port, token, out = sys.argv[1:]
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    headers = {"Authorization": f"Bearer {token}", "X-Reason": "measuring how long alerts take"}
    connection.request("GET", "/v1/alerts", headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"the node's alerts can't be followed: {answer.status} {answer.reason}")
    with open(out, "w", buffering=1) as file:
        while line := answer.readline():
            if line.startswith(b"data: "):
                alert = json.loads(line[len(b"data: "):])
                file.write(f"{time.monotonic():.6f} {alert['vrm']} {alert['origin']} {alert['site']}\n")


main()
