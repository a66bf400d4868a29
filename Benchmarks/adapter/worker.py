"""The worker process of a replica, and the programs it and the installation need."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench.record import Header, Record, Word, record_path

from .settings import Settings

_RING = 1 << 20
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of linux/prctl.h
_libc = ctypes.CDLL(None)


def program(name: str) -> str:
    """The path of one of our programs, from the folder BENCH_LEASEHOLD_BIN or from PATH."""
    folder = os.environ.get("BENCH_LEASEHOLD_BIN")
    found = str(Path(folder).absolute() / name) if folder else shutil.which(name)
    if not found or not os.access(found, os.X_OK):
        sys.exit(f"Error: expected the program {name} in BENCH_LEASEHOLD_BIN or on PATH\nTry:   swift build -c release")
    return found


class Worker:
    """`leasehold-bench-worker`, which goes on until it is told to end, or until this process is killed."""

    def __init__(self, settings: Settings) -> None:
        self.record = Record.create(record_path(f"adapter{settings.instance}"), _RING)
        self.record.words[Header.GO] = 1
        self._process = subprocess.Popen(
            [
                program("leasehold-bench-worker"),
                "--database-url",
                settings.url,
                "--record",
                str(self.record.path),
                "--body",
                f"measure:{settings.work_ms:g}",
                "--concurrency",
                str(settings.workers),
                "--queues",
                ",".join(settings.queues),
            ],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            preexec_fn=_die_with_parent,
        )
        self._drop_name()

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    @property
    def started(self) -> int:
        """Handlers that have started."""
        return self.record.slot(0, Word.STARTED)

    def ask_to_end(self) -> None:
        """It claims no more, and lets running jobs end."""
        self._process.send_signal(signal.SIGTERM)

    def end(self, seconds: float) -> None:
        """Waits so long, then kills it."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f"the worker did not end within {seconds:g} s: killed", file=sys.stderr)
            self._process.kill()
            self._process.wait()
        self.record.close()

    def _drop_name(self) -> None:
        """Removes the record's file as soon as the worker has mapped it: killed, we leave nothing behind."""
        deadline = time.monotonic() + 30
        while not self.record.slot(0, Word.READY) and self.exit_code is None and time.monotonic() < deadline:
            time.sleep(0.01)
        self.record.path.unlink(missing_ok=True)


def _die_with_parent() -> None:
    """On Linux; the harness kills replicas, and a worker that lived on would serve in place of the dead."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL)
