"""The figures as a Markdown table, as bars and as curves over the number of shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from integration.bench.runs import Spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Subject to figure to its spread.
Subjects = Mapping[str, Mapping[str, Spread]]
# Scenario's title to what its subjects did.
Results = Mapping[str, Subjects]


def markdown(results: Results, facts: Mapping[str, str]) -> str:
    """Return the whole report; a subject without figures failed."""
    lines = [f"- {name}: {fact}" for name, fact in facts.items()]
    for title, subjects in results.items():
        lines += ["", f"## {title}", "", f"| | {' | '.join(subjects)} |"]
        lines.append("|---|" + "---|" * len(subjects))
        for figure in dict.fromkeys(name for of in subjects.values() for name in of):
            cells = [_cell(of.get(figure)) for of in subjects.values()]
            lines.append(f"| {figure} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    if spread.low == spread.high:
        return _number(spread.median)
    return f"{_number(spread.median)} ({_number(spread.low)} to {_number(spread.high)})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def bars(results: Results, file: Path) -> None:
    """Draw the first figure of each scenario, a bar for each subject with its spread, as SVG."""
    figure, axes = _beside_each_other(len(results))
    for axis, (title, subjects) in zip(axes, results.items(), strict=True):
        drawn = {name: of for name, of in subjects.items() if of}
        name = next(iter(next(iter(drawn.values()), {})), "failed")
        spreads = [of[name] for of in drawn.values()]
        axis.bar(list(drawn), _medians(spreads), yerr=_whiskers(spreads), capsize=4)
        axis.set_title(title, fontsize=9, wrap=True)
        axis.set_ylabel(name)
    _save(figure, file)


def curves(over: Mapping[int, Subjects], figures: Sequence[str], file: Path) -> None:
    """Draw each figure over the number of shards, a line for each subject, as SVG."""
    figure, axes = _beside_each_other(len(figures))
    for axis, name in zip(axes, figures, strict=True):
        for subject, points in series(over, name).items():
            spreads = list(points.values())
            axis.errorbar(
                list(points),
                _medians(spreads),
                yerr=_whiskers(spreads),
                marker="o",
                capsize=4,
                label=subject,
            )
        axis.set_title(name)
        axis.set_xlabel("shards")
        axis.set_xticks(sorted(over))
        axis.set_ylim(bottom=0)
        axis.grid(visible=True, alpha=0.3)
    axes[0].legend()
    _save(figure, file)


def series(over: Mapping[int, Subjects], figure: str) -> dict[str, dict[int, Spread]]:
    """Return a figure by subject and number of shards; where a subject failed, it has no point."""
    lines: dict[str, dict[int, Spread]] = {}
    for shards, subjects in sorted(over.items()):
        for subject, of in subjects.items():
            line = lines.setdefault(subject, {})
            if of:
                line[shards] = of[figure]
    return lines


def _beside_each_other(number: int) -> tuple[Figure, list[Axes]]:
    """Return a figure, and so many axes in it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * number, 3.6), layout="constrained")
    return figure, list(figure.subplots(1, number, squeeze=False)[0])


def _medians(spreads: Sequence[Spread]) -> list[float]:
    return [spread.median for spread in spreads]


def _whiskers(spreads: Sequence[Spread]) -> list[list[float]]:
    """How far the lowest and the highest are from the median."""
    below = [spread.median - spread.low for spread in spreads]
    return [below, [spread.high - spread.median for spread in spreads]]


def _save(figure: Figure, file: Path) -> None:
    """Write text as text, and the same bytes for the same figures."""
    import matplotlib

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": file.name}):
        figure.savefig(file, format="svg", metadata={"Date": None})
