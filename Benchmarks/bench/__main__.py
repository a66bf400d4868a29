"""`python3 -m bench`: what scripts/bench starts once the server runs and everything is built."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from . import drawing, machine, run
from .peers.base import System
from .peers.catalog import LEASEHOLD, PEERS, SYSTEMS
from .postgres import Server
from .report import markdown
from .results import Results
from .scale import SCALES
from .stage import ROOT, Stage, default_python
from .verdict import conditions
from .workloads.limits import LIMIT
from .workloads.registry import MAIN, WORKLOADS


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Leasehold beside its peers, in one run.")
    parser.add_argument(
        "workloads",
        nargs="*",
        metavar="WORKLOAD",
        help=f"{', '.join(WORKLOADS)}, or all; default: {' '.join(MAIN)}",
    )
    parser.add_argument("--scale", choices=SCALES, default="full")
    parser.add_argument("--systems", default="", help="comma-separated; default: all that are installed")
    parser.add_argument("--repeats", type=int, default=0, help="instead of the scale's")
    parser.add_argument("--output", type=Path, help="folder for report.md, results.json and plots")
    parser.add_argument("--profile", action="store_true", help="the dearest statements of each; costs some percent")
    parser.add_argument("--note", default="", help="printed at the top of the report")
    options = parser.parse_args()
    unknown = [name for name in options.workloads if name not in (*WORKLOADS, "all")]
    if unknown:
        parser.error(f"expected workloads of {', '.join(WORKLOADS)} or all, got {', '.join(unknown)}")
    return options


def chosen_systems(names: str, peers_installed: bool) -> list[System]:
    """Leasehold, the peers that are there, and the bare statements."""
    known = {**SYSTEMS, LIMIT.name: LIMIT}
    wanted = [n for n in names.split(",") if n] or list(known)
    unknown = [n for n in wanted if n not in known]
    if unknown:
        sys.exit(f"Error: expected systems of {', '.join(known)}, got {', '.join(unknown)}")
    return [known[n] for n in wanted if peers_installed or n not in PEERS]


def versions(python: str, systems: list[System]) -> dict[str, str]:
    """Version of each system: of its package, or of this repository."""
    found = {LIMIT.name: "", LEASEHOLD.name: _described()}
    for system in systems:
        if system.packages:
            package = system.packages[0].split("==")[0].split("[")[0]
            code = f"import importlib.metadata as m; print(m.version('{package}'))"
            done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
            found[system.name] = done.stdout.strip()
    return {system.name: found.get(system.name, "") for system in systems}


def _described() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def main() -> None:
    options = parse()
    server = Server.from_environment()
    python = os.environ.get("BENCH_PEER_PYTHON", "")
    # One peer is enough to show that peers work.
    standard = f"{LEASEHOLD.name},{PEERS[0]},{LIMIT.name}" if options.scale == "smoke" else ""
    systems = chosen_systems(options.systems or standard, bool(python))
    names = list(WORKLOADS) if "all" in options.workloads else options.workloads or list(MAIN)
    scale = SCALES[options.scale]
    if options.repeats:
        scale = type(scale)(**{**vars(scale), "repeats": options.repeats})
    folder = options.output or ROOT / "results" / f"{time.strftime('%Y-%m-%d')}-{scale.name}"
    folder.mkdir(parents=True, exist_ok=True)
    stage = Stage(
        server,
        scale,
        python or default_python(),
        Path(os.environ["BENCH_WORKER"]),
        Path(os.environ["BENCH_LEASEHOLD"]),
        server.directory / "processes.log",
        options.profile,
    )
    results = Results(machine.describe(server), versions(stage.peer_python, systems), scale.name, options.note)
    workloads = {name: WORKLOADS[name] for name in names}
    began = time.monotonic()
    try:
        run.run(
            stage,
            list(workloads.values()),
            systems,
            results,
            lambda: results.save(folder / "results.json"),
            say,
        )
    finally:
        _write(results, scale, folder)
    say(f"{time.monotonic() - began:.0f} s; report in {folder}/report.md")
    missing = [f"{m.workload} {m.case}" for m in results.measurements if m.system == LEASEHOLD.name and m.error]
    if missing:
        sys.exit(f"bench: Leasehold has no figure for {', '.join(dict.fromkeys(missing))}; the reason is above")


def _write(results: Results, scale: object, folder: Path) -> None:
    """Report and plots of what was measured so far."""
    systems = {**SYSTEMS, LIMIT.name: LIMIT}
    cases = {name: WORKLOADS[name].cases(scale) for name in results.workloads()}  # type: ignore[arg-type]
    plots = drawing.draw(results, WORKLOADS, systems, cases, folder)
    text = markdown(results, WORKLOADS, systems, cases, conditions(results), plots)
    (folder / "report.md").write_text(text, encoding="utf-8")
    results.save(folder / "results.json")
    print("\n" + text)


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
