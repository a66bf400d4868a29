"""Sends malformed requests to a running server and sees that it goes on, with flat memory.

Random bytes, requests cut off anywhere, headers and bodies that are too long or lie about their
length, wrong types of every kind, and slow clients that are left hanging meanwhile.
"""

import json
import os
import random
import socket
import sys
import time
import urllib.parse
import urllib.request

ORIGIN = urllib.parse.urlsplit(os.environ["CHECK_ORIGIN"])
KEY = os.environ["CHECK_KEY"]
SERVER = int(os.environ["CHECK_SERVER"])
VALUES = [None, True, -1, 2**70, 1e308, "", "\x00", "é" * 5000, [], {}, [[[]]], {"a": {"b": []}}]
NAMES = ["tenant", "kind", "args", "run_at", "priority", "max_attempts", "after", "queue", "unique_key", "x"]


def resident_kilobytes() -> int:
    with open(f"/proc/{SERVER}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def request(chance: random.Random) -> bytes:
    method = chance.choice([b"GET", b"POST", b"PUT", b"BREW", b"\xff"])
    target = chance.choice([b"/v1/jobs", b"/v1/tenants/a", b"/", b"/jobs?before=%zz", b"/login", b"/%00", b"*"])
    body = json.dumps({name: chance.choice(VALUES) for name in chance.sample(NAMES, 4)}).encode()
    if chance.random() < 0.2:
        body = chance.randbytes(chance.randrange(4000))
    head = [method + b" " + target + b" HTTP/1.1", b"Host: x", b"Authorization: Bearer " + KEY.encode()]
    head.append(b"Content-Type: " + chance.choice([b"application/json", b"application/x-www-form-urlencoded", b"\x80"]))
    length = chance.choice([len(body), len(body) - 1, len(body) + 10, 2**63, -1, b"x"])
    head.append(b"Content-Length: " + str(length).encode() if length != b"x" else b"Content-Length: x")
    if chance.random() < 0.1:
        head.append(b"X-Long: " + b"a" * chance.choice([1000, 20_000, 300_000]))
    if chance.random() < 0.1:
        head += [b"X-%d: y" % number for number in range(500)]
    if chance.random() < 0.1:
        head.append(b"Transfer-Encoding: chunked")
    whole = b"\r\n".join(head) + b"\r\n\r\n" + body
    kind = chance.random()
    if kind < 0.15:
        return chance.randbytes(chance.randrange(1, 8192))
    if kind < 0.4:
        return whole[: chance.randrange(1, len(whole))]
    return whole


def send(data: bytes, reads: bool) -> None:
    with socket.create_connection((ORIGIN.hostname, ORIGIN.port), timeout=5) as connection:
        connection.settimeout(0.2)
        try:
            connection.sendall(data)
            if reads:
                connection.recv(4096)
        except OSError:
            pass


def main() -> int:
    count = int(sys.argv[1])
    chance = random.Random(1)
    slow = []
    for _ in range(200):
        connection = socket.create_connection((ORIGIN.hostname, ORIGIN.port), timeout=5)
        connection.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        slow.append(connection)
    marks = []
    began = time.monotonic()
    for number in range(1, count + 1):
        send(request(chance), reads=chance.random() < 0.3)
        if number % max(1, count // 10) == 0:
            with urllib.request.urlopen(os.environ["CHECK_ORIGIN"] + "/live", timeout=10) as answer:
                assert answer.status == 200
            marks.append(resident_kilobytes())
    for connection in slow:
        connection.close()
    print(f"{count} malformed requests in {time.monotonic() - began:.0f} s; resident KB after each tenth: {marks}")
    # The first tenths warm up allocators and pools; after that it must not grow.
    growth = marks[-1] - marks[len(marks) // 2]
    assert growth < 16_384, f"expected memory to be flat, got {growth} KB more in the second half"
    return 0


if __name__ == "__main__":
    sys.exit(main())
