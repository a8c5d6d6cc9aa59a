"""What tests of several steps share: the reference protocol as first written, without its amendments."""

from importlib.resources import files

import pytest
from ruamel.yaml import YAML

from graftline.protocol.schema import Protocol

_NOTES = {"source", "placeholder"}


def _plain(node):
    """The file's values without their notes."""
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    bare = {key: _plain(value) for key, value in node.items() if key not in _NOTES}
    return bare["value"] if set(bare) == {"value"} else bare


@pytest.fixture(scope="session")
def reference():
    """ADP-A2AFP, first version."""
    text = files("graftline").joinpath("protocol").joinpath("protocols").joinpath("adp_a2afp.yaml").read_text("utf-8")
    content = _plain(YAML(typ="safe", pure=True).load(text))
    return Protocol.model_validate({**content, "amendments": []})
