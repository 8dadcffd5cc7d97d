"""Rounds that alternate, and what is said of their figures: least, median, most, and a target."""

import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_PACKAGES = ("flask", "flask-wtf", "flask-mail", "gunicorn", "sqlalchemy", "psycopg", "aiosmtpd")


class Bound(StrEnum):
    """On which side of its target a ratio should be."""

    AT_LEAST = "at least"
    AT_MOST = "at most"


@dataclass(frozen=True, slots=True)
class Spread:
    """Least, median and most of the rounds."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of one figure, a value a round."""
        return cls(min(values), statistics.median(values), max(values))

    def shown(self, form: str = ",.0f") -> str:
        """`least | median | most`, each in this format."""
        return " | ".join(f"{value:{form}}" for value in (self.least, self.median, self.most))


def interleave(rounds: int, subjects: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
    """Run every subject once a round, each second round backwards; results by subject.

    What the machine does besides, and what it does more and more, so hits all of them alike.
    """
    results: dict[str, list[T]] = {name: [] for name in subjects}
    for number in range(rounds):
        order = list(subjects) if number % 2 == 0 else list(subjects)[::-1]
        for name in order:
            results[name].append(subjects[name]())
    return results


def show_figure(name: str, values: Sequence[float], unit: str, form: str = ",.0f") -> None:
    """One line for a figure."""
    print(f"  {name:<44} {Spread.of(values).shown(form):>32}  {unit}")


def show_ratio(
    name: str, ours: Sequence[float], theirs: Sequence[float], bound: Bound, target: float
) -> bool:
    """One line for a ratio, taken round by round, and whether its median meets the target."""
    ratios = Spread.of([one / other for one, other in zip(ours, theirs, strict=True)])
    is_met = ratios.median >= target if bound is Bound.AT_LEAST else ratios.median <= target
    verdict = "met" if is_met else "MISSED"
    print(f"  {name:<44} {ratios.shown('.2f'):>32}  {bound} {target}: {verdict}")
    return is_met


def show_heading(words: str) -> None:
    """The line above a table of figures."""
    print(f"\n{words}\n  {'':<44} {'least | median | most':>32}")


def show_machine() -> None:
    """What the figures were measured on."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    load = os.getloadavg()[0]
    print(
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, load {load:.1f} before; "
        f"{platform.system()} {platform.release()}\n"
        f"Python {platform.python_version()}; {packages}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
