"""Plots as small SVG files: bars for medians with their range, lines for curves over seconds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 720
_LEFT, _RIGHT, _TOP, _ROW = 150, 110, 46, 26
_INK, _GRID, _PAPER = "#24292f", "#d0d7de", "#ffffff"
_OURS, _LIMIT = "#0b6e4f", "#8c959f"
_OTHERS = ("#4361a8", "#b5651d", "#8e4585", "#5f6b2d", "#a33b3b", "#2f7f8f")


@dataclass(frozen=True)
class Bar:
    """A median with its range; `kind` is ours, peer or limit."""

    label: str
    median: float
    low: float
    high: float
    text: str
    kind: str = "peer"


@dataclass(frozen=True)
class Line:
    """A curve: (seconds, value) points."""

    label: str
    points: Sequence[tuple[float, float]]
    kind: str = "peer"


def bars(title: str, unit: str, groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Horizontal bars in groups with a common linear scale a group."""
    body: list[str] = []
    y = float(_TOP)
    for heading, group in groups:
        if heading:
            body.append(_text(16, y + 14, heading, weight="600"))
            y += 22
        most = max((bar.high for bar in group), default=1) or 1
        for bar in group:
            body += _bar(bar, y, (WIDTH - _LEFT - _RIGHT) / most)
            y += _ROW
        y += 12
    return _document(title, unit, y + 4, body)


def _bar(bar: Bar, y: float, scale: float) -> list[str]:
    colour = {"ours": _OURS, "limit": _LIMIT}.get(bar.kind, _OTHERS[0])
    x, middle = float(_LEFT), y + _ROW / 2
    parts = [
        _text(_LEFT - 8, middle + 4, bar.label, anchor="end"),
        f'<rect x="{x:.1f}" y="{y + 4:.1f}" width="{max(1, bar.median * scale):.1f}" height="{_ROW - 9}"'
        f' fill="{colour}"/>',
    ]
    if bar.high > bar.low:
        low, high = x + bar.low * scale, x + bar.high * scale
        parts.append(
            f'<path d="M{low:.1f} {middle - 4:.1f}v7M{low:.1f} {middle - 0.5:.1f}H{high:.1f}'
            f'M{high:.1f} {middle - 4:.1f}v7" stroke="{_INK}" fill="none"/>'
        )
    parts.append(_text(x + max(bar.median, bar.high) * scale + 6, middle + 4, bar.text))
    return parts


def lines(
    title: str,
    unit: str,
    curves: Sequence[Line],
    marks: Sequence[tuple[float, float, str]] = (),
    logarithmic: bool = False,
) -> str:
    """Curves over seconds; `marks` shades spans (from, to, label)."""
    left, right, height = 64, 16, 300
    top, bottom = _TOP + 8, _TOP + height
    seconds = max((x for curve in curves for x, _ in curve.points), default=1) or 1
    most = max((y for curve in curves for _, y in curve.points), default=1) or 1
    axis = _Axis(seconds, most, left, WIDTH - right, top, bottom, logarithmic)
    body = [part for start, end, label in marks for part in _mark(axis, start, end, label)]
    body += axis.grid()
    for index, curve in enumerate(curves):
        colour = _OURS if curve.kind == "ours" else _OTHERS[index % len(_OTHERS)]
        path = "M" + "L".join(f"{axis.x(x):.1f} {axis.y(y):.1f}" for x, y in curve.points)
        width = 2.2 if curve.kind == "ours" else 1.3
        if curve.points:
            body.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>')
        x = left + (index % 5) * 130
        y = bottom + 38 + (index // 5) * 18
        body.append(f'<rect x="{x}" y="{y - 9}" width="18" height="4" fill="{colour}"/>')
        body.append(_text(x + 24, y - 3, curve.label))
    return _document(title, unit, bottom + 50 + 18 * ((len(curves) - 1) // 5), body)


@dataclass(frozen=True)
class _Axis:
    """Places seconds and values on the paper."""

    seconds: float
    most: float
    left: float
    right: float
    top: float
    bottom: float
    logarithmic: bool

    def x(self, value: float) -> float:
        return self.left + (self.right - self.left) * value / self.seconds

    def y(self, value: float) -> float:
        if self.logarithmic:
            share = math.log10(max(value, 0.1) * 10) / math.log10(max(self.most, 1) * 10)
        else:
            share = value / self.most
        return self.bottom - (self.bottom - self.top) * min(1.0, max(0.0, share))

    def grid(self) -> list[str]:
        parts: list[str] = []
        for value in self._ticks(self.most):
            y = self.y(value)
            parts.append(f'<path d="M{self.left} {y:.1f}H{self.right}" stroke="{_GRID}"/>')
            parts.append(_text(self.left - 6, y + 4, _short(value), anchor="end"))
        for value in _round_ticks(self.seconds, 8):
            parts.append(_text(self.x(value), self.bottom + 16, f"{value:g} s", anchor="middle"))
        return parts

    def _ticks(self, most: float) -> list[float]:
        if not self.logarithmic:
            return _round_ticks(most, 5)
        return [10.0**k for k in range(-1, int(math.log10(max(most, 1))) + 1)]


def _round_ticks(most: float, count: int) -> list[float]:
    raw = most / count
    step = 10 ** math.floor(math.log10(raw))
    step *= next((m for m in (1, 2, 5, 10) if m * step >= raw), 10)
    return [k * step for k in range(int(most / step) + 1)]


def _short(value: float) -> str:
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    return f"{value / 1e3:g} k" if value >= 1e4 else f"{value:g}"


def _mark(axis: _Axis, start: float, end: float, label: str) -> list[str]:
    x, width = axis.x(start), axis.x(min(end, axis.seconds)) - axis.x(start)
    return [
        f'<rect x="{x:.1f}" y="{axis.top}" width="{max(0, width):.1f}" height="{axis.bottom - axis.top}"'
        ' fill="#f3d9d9"/>',
        _text(x + 4, axis.top + 12, label),
    ]


def _text(x: float, y: float, text: str, anchor: str = "start", weight: str = "400") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" fill="{_INK}">'
        f"{escape(text)}</text>"
    )


def _document(title: str, unit: str, height: float, body: list[str]) -> str:
    heading = f"{title}, {unit}" if unit else title
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}"'
            f' font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="{escape(heading)}">',
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="{_PAPER}"/>',
            f'<text x="16" y="26" font-size="15" font-weight="600" fill="{_INK}">{escape(heading)}</text>',
            *body,
            "</svg>",
            "",
        ]
    )
