"""What a chart is made of."""

from dataclasses import dataclass

from console.web.charts.axes import HEIGHT, Tick


@dataclass(frozen=True, slots=True)
class Mark:
    """A rectangle. `css` is its colour; `title` is what it says when pointed at; `href` is where it leads."""

    x: str
    y: str
    width: str
    height: str
    css: str
    title: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """One line of the legend."""

    css: str
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that templates/charts/chart.html writes."""

    marks: tuple[Mark, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    legend: tuple[Key, ...]
    height: int = HEIGHT
