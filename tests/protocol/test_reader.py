"""The shipped protocol loads with its assumptions; amendments bind by site and day of consent; the digest is steady."""

from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graftline.protocol import list_protocols, load_protocol, read_protocol, shipped_text

SMALL = (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")


@cache
def small(text=SMALL):
    return read_protocol(text.encode(), "small.yaml")


@pytest.fixture(scope="module")
def reference():
    return load_protocol("adp_a2afp")


def test_the_reference_trial_loads_and_lists_what_it_assumes(reference):
    assert "adp_a2afp" in list_protocols()
    assert reference.protocol.registry_id == "NCT03132792"
    assert reference.protocol.recruitment.planned_enrolment == 45
    lines = shipped_text("adp_a2afp").decode().splitlines()
    assert all("placeholder:" in lines[one.line - 1] and one.reason for one in reference.placeholders)
    marked = [line for line in lines if "placeholder:" in line.split("#")[0]]
    assert len(reference.placeholders) == sum(line.count("placeholder:") for line in marked)
    shares = {one.path: one.value for one in reference.placeholders}
    assert shares["recruitment.rate_variation"] == "50 percent"
    assert any(one.path == "receptor" and "30561769" in one.text for one in reference.sources)


def test_the_reference_cut_off_and_conditioning_change_by_amendment(reference):
    late = reference.protocol.recruitment.ends
    first, last = reference.at("US-BOS", date(2018, 1, 1)), reference.at("US-BOS", late)
    assert first is reference.protocol is reference.versions[0]
    assert (first.conditioning.in_force, last.conditioning.in_force) == ("cy500_flu20", "cy600_flu30")
    cut_offs = [next(one for one in p.eligibility if one.name == "tumour_antigen").rule.any[0] for p in (first, last)]
    assert [one.at_least for one in cut_offs] == ["400 ng/mL", "100 ng/mL"]


def test_an_amendment_binds_from_its_approval_at_the_site():
    file = small()
    assert file.version_index("FR-A", date(2020, 4, 14)) == 0
    assert file.version_index("FR-A", date(2020, 4, 15)) == 1
    assert file.version_index("FR-A", date(2020, 7, 30)) == 1
    assert file.version_index("FR-A", date(2020, 7, 31)) == 2
    assert file.at("FR-A", date(2020, 7, 31)).conditioning.in_force == "strong"


def test_a_site_that_opens_late_begins_with_the_amended_protocol():
    file = small()
    assert file.version_index("FR-B", date(2020, 9, 1)) == 2
    assert file.version_index("FR-B", date(2020, 8, 31)) == 0


def test_a_later_amendment_approved_first_binds_alone():
    file = small(SMALL.replace("FR-A: 2020-04-15", "FR-A: 2020-10-15"))
    version = file.at("FR-A", date(2020, 9, 1))
    assert version.conditioning.in_force == "strong"
    assert version.eligibility[0].rule.any[0].at_least == "400 ng/mL"
    assert version in file.versions


@settings(deadline=None)  # the first reading of a unit loads the registry
@given(days=st.integers(0, 900), site=st.sampled_from(["FR-A", "FR-B"]))
def test_versions_only_move_forward_in_time(days, site):
    file = small()
    day = date(2019, 12, 1) + timedelta(days=days)
    assert file.version_index(site, day) <= file.version_index(site, day + timedelta(days=1))
    assert file.at(site, day) is file.versions[file.version_index(site, day)]


def test_an_unknown_site_has_no_version():
    with pytest.raises(KeyError):
        small().at("XX", date(2020, 1, 1))


def test_the_digest_ignores_comments_layout_and_order_of_keys():
    digest = small().digest
    assert small("# more\n\n" + SMALL.replace("sponsor: Nobody", "sponsor:    'Nobody'  # who")).digest == digest
    assert small(SMALL.replace("sponsor: Nobody\n", "") + "sponsor: Nobody\n").digest == digest
    assert small(SMALL.replace("\n", "\r\n")).digest == digest
    assert small("\ufeff" + SMALL).digest == digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("400 ng/mL", "401 ng/mL"),
        ('value: "1.0"', 'value: "1.1"'),
        ("placeholder: made up", "placeholder: invented"),
        ("opens: 2020-09-01", "opens: 2020-09-02"),
        ("{name: low,", "{name: low, placeholder: assumed,"),
    ],
)
def test_the_digest_follows_every_change_of_meaning(old, new):
    assert small(SMALL.replace(old, new)).digest != small().digest


def test_quantities_keep_their_units(reference):
    drug = reference.protocol.conditioning.regimens[0].drugs[0]
    assert drug.dose.to("mg/m^2/day") == 500
    assert drug.infusion_time.to("hours") == 1
