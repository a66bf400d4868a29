"""Prints so many free ports: ports.py COUNT

A port that the system chose and that was closed again is the system's to choose once more, for any socket.
These lie below the range it chooses from.
"""

import os
import pathlib
import socket
import sys

LOWEST = 10_000


def first_of_system() -> int:
    try:
        return int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return 32_768


def is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen()
        except OSError:
            return False
    return True


def main() -> None:
    count = int(sys.argv[1])
    ports = range(LOWEST, max(LOWEST + 1, first_of_system()))
    # Processes beside each other begin at different places.
    turns = (ports[(os.getpid() * 127 + n) % len(ports)] for n in range(len(ports)))
    found = []
    for port in turns:
        if is_free(port):
            found.append(port)
        if len(found) == count:
            break
    if len(found) < count:
        sys.exit(f"Error: expected {count} free ports in {ports}, got {len(found)}\nTry:   ss -ltnp")
    print(*found)


main()
