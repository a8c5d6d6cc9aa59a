"""The model texts: they compose, units fit, every symbol and every equation is explained, every parameter has its card."""

import re
from itertools import combinations

import pytest

from graftline.base.errors import InputError
from graftline.engine import check_units, load_antimony
from graftline.evidence import all_cards
from graftline.twin import CARD_OF, CARDS, MODULES, twin_meanings, twin_model, twin_text
from graftline.twin.model import composed, text_of

COMPOSITIONS = [chosen for count in range(len(MODULES) + 1) for chosen in combinations(MODULES, count)]


def symbols_in_the_table(text):
    """The first column (eight letters) of the symbol tables at the top of the texts."""
    rows = re.findall(r"^# (.{8}) \S", text, flags=re.MULTILINE)
    return {symbol for row in rows for symbol in row.split()}


def test_every_state_and_parameter_stands_in_the_symbol_table():
    model = twin_model(MODULES)
    assert {*model.states, *model.parameters} <= symbols_in_the_table(twin_text(MODULES))


def test_every_parameter_has_a_card_and_no_card_is_idle():
    used = {*twin_model(MODULES).parameters, *twin_model(()).parameters}
    assert set(CARD_OF) == used
    assert set(CARDS) <= set(all_cards())
    assert {name for name in all_cards() if name.startswith(("twin_", "comparator_"))} <= set(CARDS)


def test_every_card_named_in_the_symbol_table_exists():
    named = set(re.findall(r"twin_\w+", twin_text(MODULES)))
    assert named and named <= set(all_cards())


def test_the_texts_carry_no_numbers_of_their_own():
    assert set(twin_model(MODULES).own_values.values()) <= {0.0, 1.0}


@pytest.mark.parametrize("modules", COMPOSITIONS, ids="+".join)
def test_every_composition_builds_with_units_that_fit(modules):
    model = twin_model(modules)
    assert {"A", "N", "M", "E", "T"} <= set(model.states)
    assert all(name in model.units for name in (*model.states, *model.parameters))
    assert ("Z" in model.states, "G2" in model.states) == ("immunity" in modules, "second_product" in modules)


def test_the_order_in_which_modules_are_named_does_not_matter():
    assert twin_text(("second_product", "marrow")) == twin_text(("marrow", "second_product"))
    assert twin_model(("second_product", "marrow")).name == "tcrt_core+marrow+second_product"


WRONG = [
    ("P has ng_per_mL", "P has pg_per_mL", "equation of P'"),
    ("k6 has per_day", "k6 has dimensionless", "equation of C'"),
    ("KF has mg_per_L", "KF has ng_per_mL", "equation of om"),
    ("VL has cm3", "VL has e9_cells", "equation of H'"),
    ("U_per_L_per_cm3; rH", "U_per_L; rH", "equation of U'"),
    ("lDex has per_day", "lDex has per_cm3", "equation of omL"),
    ("fM2 has dimensionless", "fM2 has e9_cells", "equation of M2'"),
    ("kZ has per_day_per_e9_cells_per_day", "kZ has per_day", "equation of Z'"),
    ("n has dimensionless", "n has per_day", "equation of E'"),
    ("dJ has dimensionless", "", "equation of H'"),
]


@pytest.mark.parametrize(("right", "wrong", "place"), WRONG)
def test_a_wrong_unit_fails_with_the_name_of_the_equation(right, wrong, place):
    text = twin_text(MODULES)
    assert len(re.findall(rf"(?<!\w){re.escape(right)}(?!\w)", text)) == 1
    spoilt = re.sub(rf"(?<!\w){re.escape(right)}(?!\w)", wrong, text)
    with pytest.raises(InputError) as caught:
        check_units(load_antimony(spoilt, "spoilt twin"))
    assert f"spoilt twin {place}" in str(caught.value)


def test_a_wrong_unit_is_told_with_the_two_parts_that_do_not_fit():
    spoilt = twin_text().replace("sU has U_per_L_per_cm3", "sU has U_per_L")
    with pytest.raises(InputError, match=r"equation of U': joins kU \* \(U0 - U\) \(.*\) with sU \* K \(.*\); mend"):
        check_units(load_antimony(spoilt, "twin"))


def equations(text):
    """Names of what a text defines by an assignment or a rate, with the line above."""
    lines = text.splitlines()
    for above, line in zip(["", *lines], lines, strict=False):
        match = re.match(r"(\w+'?) (:=|\+=|=) ", line)
        if match and (match[2] != "=" or match[1].endswith("'")):
            yield match[1], above


@pytest.mark.parametrize("part", ("tcrt_core", *MODULES))
def test_every_equation_carries_a_line_of_meaning_above_it(part):
    bare = [name for name, above in equations(text_of(part)) if not re.match(r"# [A-Z].{4,}", above)]
    assert bare == []
    meanings = [above for _, above in equations(text_of(part))]
    assert len(meanings) == len(set(meanings)), "two equations of one meaning"


def test_meanings_can_be_asked_for_by_the_name_of_the_equation():
    meanings, model = twin_meanings(MODULES), twin_model(MODULES)
    assert set(meanings) == {*(f"{name}'" for name in model.states), *(set(model.observables) & set(meanings))}
    assert {name for name in model.observables if "(" not in name} <= set(meanings)
    assert meanings["P'"] == "AFP: made by viable tumour, eliminated"
    assert "second product" in meanings["S"] and "second product" not in twin_meanings()["S"]


def test_an_unknown_module_is_refused_with_the_ones_there_are():
    with pytest.raises(InputError, match=r"model\.modules bone: no such module of the twin; choose from marrow"):
        twin_text(("bone",))


def test_an_addition_to_nothing_is_refused():
    with pytest.raises(InputError, match="adds to a name that no text defines"):
        composed("a := b\n", ["c += d\n"])


def test_what_modules_add_is_added_where_the_name_is_defined():
    text = composed("# a\na := b\nx' = -a * x\n", ["# more\na += c * d\n", "# less\nx' += -e\na += f\n"])
    assert "a := b + (c * d) + (f)" in text.splitlines()
    assert "x' = -a * x + (-e)" in text.splitlines()
    assert "+=" not in text
