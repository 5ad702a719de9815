"""The figures as a Markdown table and as a chart."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from integration.bench.runs import Spread

# Scenario's title to subject to figure to its spread.
Results = Mapping[str, Mapping[str, Mapping[str, Spread]]]


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


def chart(results: Results, file: Path) -> None:
    """Draw the first figure of each scenario, a bar for each subject with its spread, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        1, len(results), figsize=(3.2 * len(results), 3.6), squeeze=False, layout="constrained"
    )
    for axis, (title, subjects) in zip(axes[0], results.items(), strict=True):
        drawn = {name: of for name, of in subjects.items() if of}
        name = next(iter(next(iter(drawn.values()), {})), "failed")
        spreads = [of[name] for of in drawn.values()]
        heights = [spread.median for spread in spreads]
        below = [spread.median - spread.low for spread in spreads]
        above = [spread.high - spread.median for spread in spreads]
        axis.bar(list(drawn), heights, yerr=[below, above], capsize=4, color="tab:blue")
        axis.set_title(title, fontsize=9, wrap=True)
        axis.set_ylabel(name)
    figure.savefig(file, format="svg")
