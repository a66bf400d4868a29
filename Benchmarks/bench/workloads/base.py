"""What a workload is to the runner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..peers.base import System
from ..scale import Scale
from ..stage import Stage

Series = list[tuple[float, float]]


@dataclass(frozen=True)
class Metric:
    """A figure that a workload yields; `plot` marks the one that the bar chart shows."""

    key: str
    title: str
    unit: str
    better: Literal["more", "less", ""] = ""
    digits: int = 0
    plot: bool = False


@dataclass(frozen=True)
class Case:
    """A variant of a workload, measured and reported on its own."""

    key: str
    title: str


@dataclass
class Outcome:
    """One measurement: figures, and curves over seconds where there are any."""

    values: dict[str, float] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    note: str = ""


class Unmeasurable(Exception):
    """The system cannot do this, or did not finish; the message goes to the report."""


class Workload:
    """A workload prepares each system once, then is measured in turns."""

    name = ""
    title = ""
    explains = ""  # how it is measured, one paragraph for the report
    metrics: Sequence[Metric] = ()
    repeatable = True  # False: one measurement a case, whatever the scale says

    def cases(self, scale: Scale) -> Sequence[Case]:
        """The variants, at least one."""
        return (Case("", ""),)

    def supports(self, system: System, case: Case, scale: Scale) -> bool:
        """Whether the system takes part; the bare statements do only where a workload says so."""
        return system.name != "limit"

    def prepare(self, stage: Stage, system: System, case: Case) -> None:
        """What is loaded once, before the first repeat."""

    def measure(self, stage: Stage, system: System, case: Case, repeat: int) -> Outcome:
        """One measurement."""
        raise NotImplementedError

    def finish(self, stage: Stage, system: System, case: Case) -> None:
        """Removes what `prepare` made; the database goes by default."""
        stage.server.drop(stage.database(system))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of an ordered sequence lies; 0 if it is empty."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
