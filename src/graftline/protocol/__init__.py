"""The one file that says what is tested, in whom, where and how: schema, reader, checks, versions by amendment."""

from ._yaml import Placeholder, Source
from .criteria import Criterion, EligibilityCriterion, Moment, variables_of
from .model_text import ModelText
from .reader import ProtocolFile, load_protocol, read_protocol
from .schema import SCHEMA_VERSION, Protocol
from .shipped import list_protocols, shipped_text

__all__ = [
    "SCHEMA_VERSION",
    "Criterion",
    "EligibilityCriterion",
    "ModelText",
    "Moment",
    "Placeholder",
    "Protocol",
    "ProtocolFile",
    "Source",
    "list_protocols",
    "load_protocol",
    "read_protocol",
    "shipped_text",
    "variables_of",
]
