"""Drawings of states and the ways between them, as SVG text that needs no network, script or style sheet.

The layout is plain and always the same: the main path runs down one column, all other states stand in a column to its
right, each way runs in a lane of its own beside the columns. So no line crosses a box or a label. Lines and letters
take the colour of the text around the drawing, so it suits a light and a dark page. Lengths are in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from textwrap import wrap
from typing import Literal

_LETTER = 7.3  # width of a letter of a monospaced font of 12 pixels, rounded up
_LINE = 14  # height of a line of text
_WORDS = 18  # letters after which a name is broken, where it has an underscore
_SLOT = 8  # free height above and below a line that meets a box
_LANE = 12  # distance of two lines that run side by side
_GAP = 24  # least distance of two boxes of a column
_LEAST = 40  # height of the smallest box
_ZONE = 60  # least width kept free for labels
_TIP = 7  # length of the head of an arrow
_GRID = 8  # lines that meet boxes lie on this grid; those of the right column half a step lower, so none coincide
_MANY = 3  # a way from more states than this is drawn as one short arrow

Gutter = Literal["left", "middle", "right"]


@dataclass(frozen=True)
class Edge:
    """A way from each of `sources` to one state, with its label."""

    label: str
    sources: tuple[str, ...]
    to: str


@dataclass
class _Port:
    """Where a line meets a box."""

    lines: list[str]
    toward: float = 0.0
    y: float = 0.0


@dataclass
class _Box:
    name: str
    main: bool
    ports: dict[Gutter, list[_Port]] = field(default_factory=dict)
    x: float = 0.0
    y: float = 0.0
    width: float = 0.0
    height: float = _LEAST

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass
class _Net:
    """One way in one gutter: it leaves boxes, joins one lane, enters one box. Without sources: a short arrow."""

    gutter: Gutter
    sources: list[tuple[_Box, _Port]]
    to: _Box
    port: _Port
    lane: int = 0

    @property
    def span(self) -> tuple[float, float]:
        heights = [self.port.y, *(port.y for _, port in self.sources)]
        return min(heights), max(heights)


def state_diagram_svg(
    states: Sequence[str], edges: Sequence[Edge], main_path: Sequence[str], terminal: Sequence[str], title: str = ""
) -> str:
    """A drawing of states: the main path from top to bottom, the others beside it, ends with a double border.

    `states` in the order of the table; the first of `main_path` is marked as the start. A way from more than three
    states is one short arrow into its target, with the number of those states; the step along the main path is always
    drawn. The text holds no blank line, so it can stand in a page of Markdown.
    """
    boxes = {name: _Box(name, name in main_path) for name in states}
    steps, nets = _routes(boxes, edges, main_path)
    side = [name for name in states if name not in main_path]
    main_column, side_column = [boxes[name] for name in main_path], [boxes[name] for name in side]
    for _ in range(2):  # the order of lines at a box depends on where the boxes are, and the other way round
        _stack(main_column, [max(_GAP, _LINE * len(lines) + 20) for lines in steps], nets)
        side_column.sort(key=lambda box: _level(box, nets) or math.inf)  # joined to no state of the path: at the foot
        _stack(side_column, [], nets)
        _aim(nets)
    return _Canvas(main_column, side_column, steps, nets, terminal, title).svg()


def _broken(label: str) -> list[str]:
    """A name in lines of at most 18 letters, broken behind underscores."""
    return [line.replace(" _", "_").replace("~", " ") for line in _packed(label.replace(" ", "~").split("_"))]


def _packed(words: list[str]) -> Iterable[str]:
    line = words[0]
    for word in words[1:]:
        if len(line) + len(word) < _WORDS:
            line += f"_{word}"
        else:
            yield f"{line}_"
            line = word
    yield from wrap(line, _WORDS * 2)


def _routes(
    boxes: dict[str, _Box], edges: Sequence[Edge], main_path: Sequence[str]
) -> tuple[list[list[str]], list[_Net]]:
    """The labels of each step along the main path, and all other ways as lines in the gutters."""
    following = dict(pairwise(main_path))
    steps: dict[str, list[str]] = {name: [] for name in following}
    nets = []
    for edge in edges:
        straight = [name for name in edge.sources if following.get(name) == edge.to]
        for name in straight:
            steps[name] += _broken(edge.label)
        rest = [name for name in edge.sources if name not in straight]
        if len(rest) > _MANY or rest == [edge.to]:
            number = f"{len(rest)} {'more' if straight else 'states'}"
            nets.append(
                _net(
                    "left" if boxes[edge.to].main else "right",
                    [*_broken(edge.label), f"({number})"],
                    [],
                    boxes[edge.to],
                )
            )
            continue
        by_gutter: dict[Gutter, list[_Box]] = {}
        for name in rest:
            by_gutter.setdefault(_gutter(boxes[name], boxes[edge.to]), []).append(boxes[name])
        nets += [_net(gutter, _broken(edge.label), found, boxes[edge.to]) for gutter, found in by_gutter.items()]
    return list(steps.values()), nets


def _gutter(source: _Box, to: _Box) -> Gutter:
    if source.main != to.main:
        return "middle"
    return "left" if source.main else "right"


def _net(gutter: Gutter, label: list[str], sources: list[_Box], to: _Box) -> _Net:
    leaving = [(box, _Port(label)) for box in sources]
    entering = _Port([] if sources else label)
    for box, port in (*leaving, (to, entering)):
        box.ports.setdefault(gutter, []).append(port)
    return _Net(gutter, leaving, to, entering)


def _stack(column: list[_Box], gaps: list[float], nets: list[_Net]) -> None:
    """Boxes below one another, each as high as its lines need; a state beside the path stands level with its ways."""
    below = 30.0
    for place, box in enumerate(column):
        for found in box.ports.values():
            found.sort(key=lambda port: port.toward)
        needed = [sum(_height(port) + _GRID for port in found) + _SLOT for found in box.ports.values()]
        box.height = max(_LEAST, *needed, _LINE * len(_broken(box.name)) + 14) if needed else _LEAST
        box.y = below if box.main else max(below, _level(box, nets) - box.height / 2)
        below = box.y + box.height + (gaps[place] if place < len(gaps) else _GAP)
        for found in box.ports.values():
            _place_ports(box, found)


def _level(box: _Box, nets: list[_Net]) -> float:
    """Height amid the states of the path that a state beside it is joined to; 0 if it is joined to none."""
    others = [
        other.middle
        for net in nets
        if net.gutter == "middle"
        for other in ([one for one, _ in net.sources] if net.to is box else [net.to])
        if net.to is box or any(one is box for one, _ in net.sources)
    ]
    return sum(others) / len(others) if others else 0.0


def _height(port: _Port) -> float:
    return max(_LANE, _LINE * len(port.lines) + _GRID)


def _place_ports(box: _Box, ports: list[_Port]) -> None:
    free = box.height - sum(_height(port) + _GRID for port in ports)
    y = box.y + max(0.0, free / 2)
    for port in ports:
        y += _height(port)
        offset = 0 if box.main else _GRID / 2
        port.y = -(-(y - offset) // _GRID) * _GRID + offset  # upwards to the grid
        y = port.y


def _aim(nets: list[_Net]) -> None:
    """Tell each end of a line where the other end is, so that lines leave a box in the order of their targets."""
    for net in nets:
        for box, port in net.sources:
            port.toward = net.to.middle
            net.port.toward = box.middle


def _assign_lanes(nets: list[_Net], gutter: Gutter) -> int:
    """Give each line of a gutter the first lane where it meets no other; short lines first. Returns the lanes used."""
    lanes: list[list[tuple[float, float]]] = []
    for net in sorted((one for one in nets if one.gutter == gutter and one.sources), key=lambda one: _long(one.span)):
        low, high = net.span
        free = (n for n, used in enumerate(lanes) if all(high + _GAP <= a or b + _GAP <= low for a, b in used))
        net.lane = next(free, len(lanes))
        if net.lane == len(lanes):
            lanes.append([])
        lanes[net.lane].append((low, high))
    return len(lanes)


def _long(span: tuple[float, float]) -> tuple[float, float]:
    return span[1] - span[0], span[0]


def _zone(column: list[_Box], gutter: Gutter, least: float) -> float:
    """Width kept free beside a column for the labels on that side."""
    lines = [line for box in column for port in box.ports.get(gutter, []) for line in port.lines]
    return max([least, *(len(line) * _LETTER + 22 for line in lines)])


class _Canvas:
    """Places columns and lanes from left to right and writes the drawing."""

    def __init__(
        self,
        main: list[_Box],
        side: list[_Box],
        steps: list[list[str]],
        nets: list[_Net],
        terminal: Sequence[str],
        title: str,
    ) -> None:
        self.main, self.side, self.steps, self.nets = main, side, steps, nets
        self.terminal, self.title = terminal, title
        self.parts: list[str] = []
        count = {gutter: _assign_lanes(nets, gutter) for gutter in ("left", "middle", "right")}
        self.lanes: dict[Gutter, tuple[float, float]] = {}  # gutter -> place of lane 0, step to the next lane
        x = 8.0 + _LANE * count["left"]
        self.lanes["left"] = (x, -_LANE)
        x = self._place(main, x + _zone(main, "left", 20))
        x += _zone(main, "middle", _ZONE)
        self.lanes["middle"] = (x, _LANE)
        x += _LANE * max(0, count["middle"] - 1)
        x = self._place(side, x + _zone(side, "middle", 20))
        x += _zone(side, "right", 8)
        self.lanes["right"] = (x, _LANE)
        self.width = x + _LANE * count["right"] + 4
        self.height = max(box.y + box.height for box in (*main, *side)) + 12

    @staticmethod
    def _place(column: list[_Box], x: float) -> float:
        lines = [line for box in column for line in _broken(box.name)]
        width = max([0.0, *(len(line) * _LETTER + 20 for line in lines)])
        for box in column:
            box.x, box.width = x, width
        return x + width

    def svg(self) -> str:
        self._start()
        for box in (*self.main, *self.side):
            self._box(box)
        for above, below, lines in zip(self.main, self.main[1:], self.steps, strict=False):
            if lines:
                self._step(above, below, lines)
        for net in self.nets:
            self._net(net)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(self.title)}" '
            f'width="{self.width:.0f}" height="{self.height:.0f}" viewBox="0 0 {self.width:.0f} {self.height:.0f}" '
            'font-family="ui-monospace, monospace" font-size="12" fill="none" stroke="currentColor">'
        )
        return "\n".join([head, *self.parts, "</svg>"])

    def _start(self) -> None:
        x, top = self.main[0].x + self.main[0].width / 2, self.main[0].y
        self.parts.append(f'<circle cx="{x:.1f}" cy="8" r="5" fill="currentColor"/>')
        self._path([(x, 8), (x, top)], arrow=True)

    def _box(self, box: _Box) -> None:
        where = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
        heavy = ' stroke-width="2"' if box.main else ""
        self.parts.append(f'<rect {where} rx="6" fill="currentColor" fill-opacity="0.07"{heavy}/>')
        if box.name in self.terminal:
            inner = (box.x + 4, box.y + 4, box.width - 8, box.height - 8)
            self.parts.append('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="3"/>'.format(*inner))
        lines = _broken(box.name)
        top = box.middle - _LINE * len(lines) / 2
        self._text(box.x + box.width / 2, top, lines, "middle", bold=True)

    def _step(self, above: _Box, below: _Box, lines: list[str]) -> None:
        x, top = above.x + above.width / 2, above.y + above.height
        self._path([(x, top), (x, below.y)], arrow=True)
        self._text(x + 8, (top + below.y) / 2 - _LINE * len(lines) / 2 - 2, lines, "start")

    def _net(self, net: _Net) -> None:
        if not net.sources:
            x, sign = self._edge_of(net.to, net.gutter)
            long = max(len(line) for line in net.port.lines) * _LETTER + 14
            self._path([(x + sign * long, net.port.y), (x, net.port.y)], arrow=True)
            self._label(net.to, net.port, net.gutter)
            return
        first, step = self.lanes[net.gutter]
        lane = first + step * net.lane
        end, _ = self._edge_of(net.to, net.gutter)
        for place, (box, port) in enumerate(net.sources):
            x, _ = self._edge_of(box, net.gutter)
            way = [(x, port.y), (lane, port.y), (lane, net.port.y)]
            self._path([*way, (end, net.port.y)] if place == 0 else way, arrow=place == 0)
            self._label(box, port, net.gutter)
            if place > 0:
                self._join(net, lane)

    def _join(self, net: _Net, lane: float) -> None:
        """A dot where ways from several states become one line."""
        heights = sorted({net.port.y, *(port.y for _, port in net.sources)})
        for y in heights[1:-1]:
            self.parts.append(f'<circle cx="{lane:.1f}" cy="{y:.1f}" r="2.5" fill="currentColor"/>')

    @staticmethod
    def _edge_of(box: _Box, gutter: Gutter) -> tuple[float, int]:
        """Where lines of that gutter meet the box, and the direction away from it."""
        leftward = gutter == "left" or (gutter == "middle" and not box.main)
        return (box.x, -1) if leftward else (box.x + box.width, 1)

    def _label(self, box: _Box, port: _Port, gutter: Gutter) -> None:
        x, sign = self._edge_of(box, gutter)
        top = port.y - _LINE * len(port.lines) - 2
        self._text(x + sign * 10, top, port.lines, "start" if sign > 0 else "end")

    def _path(self, points: list[tuple[float, float]], *, arrow: bool) -> None:
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{drawn}"/>')
        if arrow:
            (x0, y0), (x, y) = points[-2:]
            along, across = ((x > x0) - (x < x0)) * _TIP, ((y > y0) - (y < y0)) * _TIP
            wide = [(x - along - across / 2, y - across - along / 2), (x - along + across / 2, y - across + along / 2)]
            head = " ".join(f"{a:.1f},{b:.1f}" for a, b in [(x, y), *wide])
            self.parts.append(f'<polygon points="{head}" fill="currentColor"/>')

    def _text(self, x: float, top: float, lines: list[str], anchor: str, *, bold: bool = False) -> None:
        weight = ' font-weight="bold"' if bold else ""
        for number, line in enumerate(lines, 1):
            self.parts.append(
                f'<text x="{x:.1f}" y="{top + number * _LINE - 3:.1f}" text-anchor="{anchor}" '
                f'fill="currentColor" stroke="none"{weight}>{escape(line)}</text>'
            )
