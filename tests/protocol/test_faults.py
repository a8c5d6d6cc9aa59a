"""Every kind of fault in a protocol file: told with file and line, what was found and what to write instead."""

from pathlib import Path

import pytest

from graftline.base.errors import InputError
from graftline.protocol import load_protocol, read_protocol

SMALL = (Path(__file__).parent / "small.yaml").read_text(encoding="utf-8")


def faults(*changes, raw=None):
    text = SMALL
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    with pytest.raises(InputError) as refusal:
        read_protocol(text.encode() if raw is None else raw, "s.yaml")
    return [str(fault) for fault in refusal.value.faults]


LEVEL_HIGH = "{name: high, target: 5e9 cells, lowest: 1e9 cells, highest: 6e9 cells}"
CASES = {
    "another schema": ("graftline-protocol/1", "graftline-protocol/0", "s.yaml:2 graftline", "write graftline: graftline-pr"),
    "unknown key": ("sponsor:", "sponser:", "s.yaml:8 sponser", "unknown key 'sponser'; write 'sponsor'"),
    "unknown key inside": ("  planned_enrolment", "  planed_enrolment", "s.yaml:21", "write 'planned_enrolment'"),
    "missing key": ("sponsor: Nobody\n", "", "s.yaml:2 sponsor", "'sponsor' is missing; write 'sponsor: ...' here"),
    "unit missing": ("turnaround: 30 days", "turnaround: 30", "s.yaml:40 manufacture.turnaround", "has no unit; write"),
    "impossible unit": ("turnaround: 30 days", "turnaround: 30 mg", "s.yaml:40", "is not a quantity in days"),
    "unknown unit": ("turnaround: 30 days", "turnaround: 30 dais", "s.yaml:40", "'dais' is not a known unit"),
    "a bare limit": ("at_least: 18 years", "at_least: 18", "s.yaml:32", "18 has no unit; write for example '18 years'"),
    "yes as a limit": ("at_most: 1}", "at_most: true}", "s.yaml:33", "true is no bound"),
    "Day 0": ("days: [-7, 1, 8", "days: [-7, 0, 8", "s.yaml:85 assessments[laboratory].days[1]", "there is no Day 0"),
    "no time": ("text: AFP\n    when: [prescreening]", "text: AFP", "eligibility[afp].when", "say when the criterion must"),
    "unknown moment": ("when: [before_infusion]", "when: [someday]", "s.yaml:33", "write prescreening, screening"),
    "nobody measures": ("variable: age", "variable: shoe_size", "s.yaml:32", "nobody measures 'shoe_size'; write one of"),
    "measured too late": ("text: adult, when: [screening]", "text: adult, when: [prescreening]", "s.yaml:32", "'adult' asks for age at prescreening"),
    "never measured": ("measures: [age, sex", "measures: [sex", "s.yaml:32", "add age to the measures of a screening step"),
    "unknown measure": ("measures: [age, sex", "measures: [agee, sex", "s.yaml:26", "nobody can measure 'agee'; write age"),
    "no window": ("    window: {first_day: 1, last_day: 29}\n", "", "dose_limiting_toxicity.window", "write the observation window"),
    "no evaluable set": ("    evaluable_set: infused and observed\n", "", "evaluable_set", "say in words who is evaluable"),
    "window reversed": ("last_day: 29", "last_day: -3", "s.yaml:78", "write first_day <= last_day"),
    "duplicate key": ("sponsor: Nobody", "sponsor: Nobody\nsponsor: Me", "s.yaml:9 sponsor", "stands twice (first on line 8)"),
    "tab": ("  opens: 2020-01-01\n", "\topens: 2020-01-01\n", "s.yaml:18", "a tab; indent with spaces"),
    "broken YAML": ("countries:", "countries: ]", "s.yaml:12", "no valid YAML"),
    "anchor": ("sponsor: Nobody", "sponsor: &who Nobody", "s.yaml:8 sponsor", "write the value out"),
    "tag": ("sponsor: Nobody", "sponsor: !me Nobody", "s.yaml:8 sponsor", "write the value without a tag"),
    "no such day": ("ends: 2021-01-01", "ends: 2021-13-01", "s.yaml:19", "write a day as 2019-06-01"),
    "day in quotes": ("ends: 2021-01-01", "ends: '2021-01-01'", "s.yaml:19", "without quotes"),
    "number as text": ("sponsor: Nobody", "sponsor: 5", "s.yaml:8 sponsor", "found 5; write text"),
    "half a person": ("planned_enrolment: 10", "planned_enrolment: 1.5", "s.yaml:21", "write a whole number"),
    "list wanted": ("outside: [delay]", "outside: delay", "infusion.outside", "write a list"),
    "empty placeholder": ("placeholder: made up", "placeholder: ", "s.yaml:6", "placeholder without words"),
    "beside value": ("placeholder: made up", "placholder: made up", "s.yaml:6 version.placholder", "beside 'value'"),
    "unknown country": ("name: Beta, country: FR", "name: Beta, country: DE", "sites[FR-B].country", "no country 'DE'; write FR"),
    "site twice": ("id: FR-B", "id: FR-A", "s.yaml:16", "'FR-A' stands twice in sites"),
    "criterion twice": ("name: fit", "name: afp", "s.yaml:33", "'afp' stands twice in eligibility"),
    "level twice": ("name: high", "name: low", "dosing.levels[low]", "'low' stands twice in levels"),
    "endpoint twice": ("endpoints:\n", "endpoints:\n  - {name: overall_survival, role: primary, population: infused, time_zero: infusion}\n", "s.yaml:90", "stands twice in endpoints"),
    "unknown start": ("start_level: low", "start_level: lo", "s.yaml:61", "no dose level 'lo'; write low"),
    "top below start": ("start_level: low\n    highest_level: high", "start_level: high\n    highest_level: low", "s.yaml:62", "stands below the start"),
    "unknown expansion": ("level: high, size", "level: huge, size", "expansion.level", "no dose level 'huge'"),
    "unknown regimen": ("in_force: weak", "in_force: week", "s.yaml:48", "no conditioning regimen 'week'; write weak"),
    "target outside": ("target: 1e9 cells", "target: 3e9 cells", "dosing.levels[low]", "write lowest <= target <= highest"),
    "levels fall": (LEVEL_HIGH, LEVEL_HIGH.replace("5e9", "1e9"), "s.yaml:58", "list the levels from the lowest dose upwards"),
    "dates cross": ("last_infusion: 2021-06-01", "last_infusion: 2020-06-01", "s.yaml:20", "lies before ends 2021-01-01"),
    "opens too late": ("opens: 2020-09-01", "opens: 2022-09-01", "sites[FR-B].opens", "after recruitment ends"),
    "chemotherapy after": ("days: [-7, -6, -5], inf", "days: [-7, -6, 2], inf", "regimens[weak]", "conditioning comes before Day 1"),
    "gap too short": ("days: [-7, -6, -5], inf", "days: [-7, -6, -1], inf", "regimens[weak]", "ends 1 days before the infusion"),
    "days unsorted": ("days: [29, 57]", "days: [57, 29]", "s.yaml:86", "write [29, 57]"),
    "no end": ("then_every: 56 days, until: 365", "then_every: 56 days", "s.yaml:85", "'then_every' without an end"),
    "laboratory short": ("29], then_every: 56 days, until: 365", "15]", "s.yaml:85", "does not cover the DLT window"),
    "no laboratory": ("name: laboratory", "name: cytokines", "s.yaml:84", "there is no laboratory schedule"),
    "no imaging": ("name: imaging", "name: afp", "s.yaml:84", "there is no imaging"),
    "second infusion": (", earliest: 85", "", "second_infusion", "'earliest' is missing"),
    "renal": ("below: 70 mL/min", "below: 70 mg", "s.yaml:54", "is not a quantity in mL/min"),
    "over the whole": ("minimum_cd3: 80", "minimum_cd3: 180", "minimum_cd3", "write at most 100 percent"),
    "amendment order": ("date: 2020-06-01", "date: 2020-02-01", "s.yaml:98", "list the amendments in the order of their dates"),
    "amendment twice": ("id: stronger", "id: lower_afp", "s.yaml:97", "'lower_afp' stands twice in amendments"),
    "unknown approval": ("approvals: {FR-A", "approvals: {FR-Z", "s.yaml:95", "there is no site 'FR-Z'; write one of FR-A, FR-B"),
    "early approval": ("FR-A: 2020-04-15", "FR-A: 2020-01-15", "s.yaml:95", "before the amendment of 2020-03-01"),
    "unknown path": ("{conditioning.in_force", "{conditioning.in_farce", "s.yaml:101", "there is no 'conditioning.in_farce'"),
    "fixed path": ("{conditioning.in_force: strong", "{sites.FR-A.id: FR-C", "s.yaml:101", "cannot be amended"),
    "invalid version": ("in_force: strong", "in_force: strongest", "s.yaml:101", "as amended by lower_afp and stronger is not valid"),
    "invalid value": ("at_least: 100 ng/mL", "at_least: 100 mg", "s.yaml:96", "is not a quantity in ng/mL"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_told_with_its_place_and_remedy(case):
    old, new, place, message = CASES[case]
    told = faults((old, new))
    assert any(place in fault and message in fault for fault in told), told
    assert all(fault.startswith("s.yaml:") for fault in told)


def test_all_faults_are_told_at_once_even_across_chapters():
    told = faults(
        ("turnaround: 30 days", "turnaround: 30"), ("sponsor:", "sponser:"), ("start_level: low", "start_level: x")
    )
    assert len(told) == 4
    assert [int(fault.split(":")[1].split(" ")[0]) for fault in told] == sorted(
        int(fault.split(":")[1].split(" ")[0]) for fault in told
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "s.yaml:1: the file is empty"),
        (b"# nothing\n", "no list of 'key: value' chapters"),
        (b"- a\n- b\n", "no list of 'key: value' chapters"),
        (b"title: a\ntext: \xe9t\xe9\n", "s.yaml:2: the byte 0xe9 is not UTF-8; save the file as UTF-8"),
        ("title: a\n".encode("utf-16"), "is not UTF-8"),
        (b"a" * 2_000_001, "the file has 2000001 bytes"),
        (b"[" * 100_000, "nested too deeply"),
        (b"a: " + b"[" * 60 + b"]" * 60, "nested too deeply"),
        (b"a: \x00", "unprintable"),
        (b"a: &x [*x]", "an anchor or alias"),
        (b"1: a", "a key that is no plain text"),
    ],
)
def test_what_is_no_protocol_at_all_is_refused(raw, message):
    assert any(message in fault for fault in faults(raw=raw))


def test_a_missing_file_and_a_folder_are_refused_with_what_to_write(tmp_path):
    with pytest.raises(InputError, match=r"write adp_a2afp"):
        load_protocol("adp_a2af")
    with pytest.raises(InputError, match=r"one of: adp_a2afp"):
        load_protocol(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="this is a folder"):
        load_protocol(tmp_path)
