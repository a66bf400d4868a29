"""The machine: what it is, and how much of its time went to others while something was measured."""

from __future__ import annotations

import os
import platform
import resource
from dataclasses import dataclass
from pathlib import Path

from .postgres import Server

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Clocks:
    """CPU seconds since boot over all cores."""

    wall: float
    busy: float
    stolen: float
    ours: float

    def disturbance(self, later: Clocks) -> float:
        """Share of the machine, 0 to 1, that other programs and the hypervisor took in between."""
        wall = max(later.wall - self.wall, 0.01)
        others = (later.busy - self.busy) - (later.ours - self.ours)
        return max(0.0, others + later.stolen - self.stolen) / wall


def clocks(server: Server, workers: float = 0.0) -> Clocks:
    """The clocks now; `workers` is the CPU of worker processes that are still running, in seconds."""
    fields = [int(x) / _TICKS for x in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _wait, irq, soft, stolen = fields
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    ours = sum(usage.ru_utime + usage.ru_stime for usage in (own, children))
    return Clocks(
        wall=sum(fields),
        busy=user + nice + system + irq + soft,
        stolen=stolen,
        ours=ours + workers + tree_cpu(server.postmaster_pid()),
    )


def process_cpu(pid: int, with_reaped: bool = False) -> float:
    """CPU seconds of a process, and of its ended children if asked; 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(x) for x in (fields[11:15] if with_reaped else fields[11:13])) / _TICKS


def process_resident(pid: int) -> float:
    """Resident memory of a process in MB (10^6 bytes)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def process_peak(pid: int) -> float:
    """The largest resident memory that a process has had, in MB (10^6 bytes); 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 / 1e6 if found else 0.0


def tree_cpu(root: int) -> float:
    """CPU seconds of a process, its children and those it has reaped (enough for a postmaster)."""
    return process_cpu(root, with_reaped=True) + sum(process_cpu(pid) for pid in children_of(root))


def children_of(root: int) -> list[int]:
    """Direct children of a process."""
    try:
        return [int(x) for x in Path(f"/proc/{root}/task/{root}/children").read_text().split()]
    except OSError:
        return []


def describe(server: Server) -> dict[str, str]:
    """What a reader needs to judge the figures."""
    settings = ("shared_buffers", "fsync", "synchronous_commit", "max_wal_size", "max_connections")
    with server.connect() as connection:
        version = connection.value("select version()") or ""
    return {
        "processor": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "file system": _file_system(server.directory),
        "postgresql": version.split(" on ")[0],
        **{name: server.setting(name) for name in settings},
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def _file_system(path: Path) -> str:
    """The type of the file system that the longest matching mount point holds."""
    best, found = "", "unknown"
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if str(path).startswith(mount) and len(mount) >= len(best):
            best, found = mount, kind
    return found
