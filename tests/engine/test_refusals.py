"""What the engine does not support is refused with the element's name before anything runs."""

import pytest

from graftline import engine
from graftline.base.errors import InputError

HEAD = '<?xml version="1.0" encoding="UTF-8"?><sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" level="3" version="1"{more}><model id="m">'
X = '<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters>'
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML">{inside}</math>'
DELAY = (
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay">delay</csymbol>'
    "<ci>x</ci><cn>1</cn></apply>"
)
FAST = (
    '<listOfReactions><reaction id="J0" reversible="false" fast="true">'
    f"<kineticLaw>{MATH.format(inside='<cn>1</cn>')}</kineticLaw></reaction></listOfReactions>"
)
CASES = {
    "algebraic": (f"{X}<listOfRules><algebraicRule>{MATH.format(inside='<ci>x</ci>')}</algebraicRule></listOfRules>", "is an algebraic rule"),
    "fast": (f"{X}{FAST}", "m J0: is a fast reaction; give it a finite rate"),
    "delay": (f'{X}<listOfRules><rateRule variable="x">{MATH.format(inside=DELAY)}</rateRule></listOfRules>', r"m x: uses delay\(\)"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_an_element_that_is_not_supported_is_refused_by_name(name):
    inside, words = CASES[name]
    with pytest.raises(InputError, match=words):
        engine.load_sbml(f"{HEAD.format(more='')}{inside}</model></sbml>", "m")


def test_a_package_that_changes_the_model_is_refused():
    more = ' xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true"'
    with pytest.raises(InputError, match="needs the SBML package comp"):
        engine.load_sbml(f"{HEAD.format(more=more)}{X}</model></sbml>", "m")


def test_a_name_that_is_not_defined_and_a_rule_that_uses_itself_are_told():
    with pytest.raises(InputError):
        engine.load_sbml("<sbml>", "m")
    with pytest.raises(InputError, match="Loop detected"):
        engine.load_antimony("a := b + 1; b := a + 1; x' = a; x = 1")
