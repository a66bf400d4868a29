"""The shared record: memory that workers of any language and the benchmark read and write.

A file of 64-bit words, little endian, mapped by every process, so that noting a job costs well
under a microsecond and needs no message. Times are CLOCK_MONOTONIC in nanoseconds, which all
processes of a machine share. Layout, in words:

    0 ..  15   header (class Header)
    16 .. 1039 64 slots of 16 words, one a worker process (class Word)
    1040 ..    four arrays of `capacity` words: before the enqueue call, after it returned,
               first start of the job, number of times it finished

Every word of a slot has one writer. Benchmarks/Worker/SharedRecord.swift is the other reader.
"""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path

MAGIC = 0x4C53_4842  # "LSHB"
HEADER_WORDS = 16
SLOT_WORDS = 16
SLOTS = 64
ARRAYS_AT = HEADER_WORDS + SLOTS * SLOT_WORDS


class Header:
    """Words of the header."""

    MAGIC = 0
    CAPACITY = 1
    GO = 2  # 1: workers may start
    STOP = 3  # 1: producers end
    RATE = 4  # jobs a second that paced producers offer together
    NEXT = 5  # next free sequence number, set by the one paced producer
    REFUSED = 6  # enqueue calls that raised: the job may or may not exist


class Word:
    """Words of a slot."""

    READY = 0  # 1: connected and waiting for GO
    STARTED = 1
    FIRST_START = 2  # ns
    FINISHED = 3
    LAST_FINISH = 4  # ns
    SMALL_FINISHED = 5  # jobs of tenants other than 0
    SMALL_LAST_FINISH = 6  # ns
    RUNNING = 7
    MOST_RUNNING = 8
    FAILED = 9  # runs that failed because their args said so


class Record:
    """A view on the file; `create` makes it anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        self.words = memoryview(self._map).cast("Q")
        self.capacity = self.words[Header.CAPACITY]
        self.called, self.acked, self.started, self.finished = (
            self.words[ARRAYS_AT + k * self.capacity : ARRAYS_AT + (k + 1) * self.capacity] for k in range(4)
        )

    @classmethod
    def create(cls, path: Path, capacity: int = 4096) -> Record:
        """An empty record for `capacity` sequence numbers."""
        path.unlink(missing_ok=True)
        with open(path, "wb") as file:
            file.truncate(8 * (ARRAYS_AT + 4 * capacity))
        with open(path, "r+b") as file:
            header = mmap.mmap(file.fileno(), 0)
            words = memoryview(header).cast("Q")
            words[Header.MAGIC], words[Header.CAPACITY] = MAGIC, capacity
            words.release()
            header.close()
        return cls(path)

    def close(self, remove: bool = False) -> None:
        """Unmaps; with `remove` deletes the file too."""
        for view in (self.called, self.acked, self.started, self.finished, self.words):
            view.release()
        self._map.close()
        if remove:
            self.path.unlink(missing_ok=True)

    def slot(self, number: int, word: int) -> int:
        """A word of a worker's slot."""
        return self.words[HEADER_WORDS + number * SLOT_WORDS + word]

    def set_slot(self, number: int, word: int, value: int) -> None:
        """Writes a word of a worker's slot."""
        self.words[HEADER_WORDS + number * SLOT_WORDS + word] = value

    def total(self, word: int) -> int:
        """A word summed over all slots."""
        return sum(self.slot(number, word) for number in range(SLOTS))

    def earliest(self, word: int) -> int:
        """The lowest time that any slot has noted; 0 if none has."""
        return min((t for number in range(SLOTS) if (t := self.slot(number, word))), default=0)

    def latest(self, word: int) -> int:
        """The highest time that any slot has noted; 0 if none has."""
        return max(self.slot(number, word) for number in range(SLOTS))


class JobNotes:
    """What the handler of a Python peer notes; about half a microsecond a call."""

    def __init__(self, record: Record, slot: int) -> None:
        self._words = record.words
        self._base = HEADER_WORDS + slot * SLOT_WORDS
        self._record = record
        self._words[self._base + Word.RUNNING] = 0

    def start(self, sequence: int | None = None) -> None:
        """A job starts; `sequence` is its number in the arrays."""
        words, base, now = self._words, self._base, time.monotonic_ns()
        if not words[base + Word.FIRST_START]:
            words[base + Word.FIRST_START] = now
        words[base + Word.STARTED] += 1
        running = words[base + Word.RUNNING] + 1
        words[base + Word.RUNNING] = running
        if running > words[base + Word.MOST_RUNNING]:
            words[base + Word.MOST_RUNNING] = running
        if sequence is not None and not self._record.started[sequence]:
            self._record.started[sequence] = now

    def finish(self, sequence: int | None = None, small: bool = False) -> None:
        """A job ends; `small` says that its tenant is not the large one."""
        words, base, now = self._words, self._base, time.monotonic_ns()
        words[base + Word.FINISHED] += 1
        words[base + Word.LAST_FINISH] = now
        words[base + Word.RUNNING] -= 1
        if small:
            words[base + Word.SMALL_FINISHED] += 1
            words[base + Word.SMALL_LAST_FINISH] = now
        if sequence is not None:
            self._record.finished[sequence] += 1


def record_path(name: str) -> Path:
    """A path in memory where there is /dev/shm, else in the temporary folder."""
    folder = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path("/tmp")
    return folder / f"leasehold-bench.{os.getpid()}.{name}"
