"""Drawings of states: complete, without overlaps, fit for any page."""

import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from graftline.base.drawing import Edge, state_diagram_svg
from graftline.journey import MACHINES, draw_tables

EDGES = [
    Edge("go", ("A",), "B"),
    Edge("stop_and_look_around_once_more", ("A", "B"), "HELD"),
    Edge("end", ("A", "B", "C", "HELD"), "GONE"),
    Edge("back", ("C",), "A"),
    Edge("go_on", ("B",), "C"),
]
STATES = ["A", "B", "C", "HELD", "GONE"]


def drawn():
    return state_diagram_svg(STATES, EDGES, ["A", "B", "C"], ["GONE"], "one & two")


def journeys():
    return dict(zip(MACHINES, re.findall(r"<svg.*?</svg>", draw_tables(), re.DOTALL), strict=True))


def parts(svg, tag):
    return ElementTree.fromstring(svg).findall(f"{{http://www.w3.org/2000/svg}}{tag}")


def rectangles(svg):
    """Left, top, right, bottom of each box; the inner border of an end left out."""
    found = [
        [float(one.get(name)) for name in ("x", "y", "width", "height")]
        for one in parts(svg, "rect")
        if one.get("rx") == "6"
    ]
    return [(x, y, x + width, y + height) for x, y, width, height in found]


def labels(svg):
    """Left, top, right, bottom of each line of text, for letters of a monospaced font of 12 pixels."""
    found = []
    for one in parts(svg, "text"):
        width, x, y = len(one.text) * 7.2, float(one.get("x")), float(one.get("y"))
        left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[one.get("text-anchor")] * width
        found.append((left, y - 9, left + width, y + 2))
    return found


def segments(svg):
    for line in parts(svg, "polyline"):
        points = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
        for (x0, y0), (x1, y1) in pairwise(points):
            yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def meet(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def touching(ones, others):
    return [(one, other) for one in ones for other in others if one is not other and meet(one, other)]


@pytest.fixture(params=["small", *MACHINES])
def svg(request):
    return drawn() if request.param == "small" else journeys()[request.param]


def test_boxes_and_labels_overlap_nothing(svg):
    boxes, texts = rectangles(svg), labels(svg)
    assert not touching(boxes, boxes)
    assert not touching(texts, texts)
    inside = [one for one, box in touching(texts, boxes) if not (box[0] <= one[0] and one[2] <= box[2])]
    assert not inside


def test_lines_cross_no_box_and_no_label(svg):
    lines = list(segments(svg))
    inner = [(left + 0.1, top + 0.1, right - 0.1, bottom - 0.1) for left, top, right, bottom in rectangles(svg)]
    flat = [(x0 - 0.01, y0 - 0.01, x1 + 0.01, y1 + 0.01) for x0, y0, x1, y1 in lines]
    assert not touching(flat, inner)
    assert not touching(flat, labels(svg))


def test_everything_lies_on_the_drawing(svg):
    root = ElementTree.fromstring(svg)
    for left, top, right, bottom in [*rectangles(svg), *labels(svg), *segments(svg)]:
        assert left >= 0
        assert top >= 0
        assert right <= float(root.get("width"))
        assert bottom <= float(root.get("height"))


def test_every_state_and_every_transition_stands_in_the_drawing_of_its_machine():
    for name, svg in journeys().items():
        # a name broken over two lines is put together again
        written = " ".join(one.text for one in parts(svg, "text")).replace("_ ", "_").split()
        machine = MACHINES[name]
        assert {*machine.by_state, *(one.name for one in machine.transitions)} <= set(written)


def test_an_end_has_a_double_border():
    assert len(parts(drawn(), "rect")) == len(STATES) + 1


def test_a_way_from_many_states_is_one_short_arrow_with_their_number():
    texts = [one.text for one in parts(drawn(), "text")]
    assert texts.count("end") == 1
    assert "(4 states)" in texts


def test_a_drawing_is_the_same_every_time_and_takes_the_colour_of_the_page():
    svg = drawn()
    assert svg == drawn()
    assert "\n\n" not in svg
    assert not re.search(r"#[0-9a-f]{3}|http(?!://www\.w3\.org/2000/svg)|<style|<script", svg)
    assert ElementTree.fromstring(svg).get("aria-label") == "one & two"
