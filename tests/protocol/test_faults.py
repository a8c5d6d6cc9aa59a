"""Every kind of fault in a protocol file: told with file and line, what was found and what to write instead."""

from pathlib import Path

import pytest

from graftline.base.errors import InputError
from graftline.base.streams import site_key
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
    "no schema": ("graftline: graftline-protocol/1\n", "", "s.yaml:2 graftline", "'graftline' is missing; write 'graftline: graftline-protocol/1' as the first line"),
    "nobody's age": ("at_least: 18 years", "at_least: 75 years, at_most: 18 years", "rule.at_most", "age at_least 75 years and at_most 18 years leaves nobody; write the smaller bound as at_least"),
    "nothing between": ("at_least: 18 years", "above: 18 years, below: 18 years", "rule.below", "leaves nobody"),
    "beyond the scale": ("ecog, at_most: 1}", "ecog, at_most: 9}", "s.yaml:33 eligibility[fit].rule.all[0].at_most", "no patient has ecog 9; write a bound from 0 to 4"),
    "above the top": ("ecog, at_most: 1}", "ecog, above: 4}", "rule.all[0].above", "leaves nobody: the scale is 0 to 4"),
    "below the bottom": ("ecog, at_most: 1}", "ecog, below: 0}", "rule.all[0].below", "leaves nobody: the scale is 0 to 4"),
    "negative age": ("at_least: 18 years", "at_least: -18 years", "rule.at_least", "write a bound from 0 to 130 years"),
    "key of another kind": ("{variable: fever, holds: false}", "{variable: fever, is_in: [no]}", "rule.all[1].is_in", "fever is a flag; write holds: true or holds: false"),
    "allele spelled": ('["A*02:01"]', '["A0201"]', "s.yaml:10 hla.required_alleles[0]", "found 'A0201'; write an HLA allele with its fields, for example A*02:01"),
    "module twice": ("{twin: tcrt_core}", "{twin: tcrt_core, modules: [marrow, marrow]}", "s.yaml:11 model.modules[1]", "'marrow' stands twice in modules; keep one"),
    "unknown module": ("{twin: tcrt_core}", "{twin: tcrt_core, modules: [bone]}", "s.yaml:11 model.modules[0]", "write marrow, tocilizumab, corticosteroid, immunity or second_product"),
    "potency twice": ("presented_by: HLA-A*02}", "presented_by: HLA-A*02, potency: {ec50: 1 ng/mL, dissociation_rate: 0.1 1/s}}", "s.yaml:9 receptor.potency", "the potency would count twice; write ec50 if it is measured"),
    "potency of the wrong form": ("presented_by: HLA-A*02}", "presented_by: HLA-A*02, potency: {form: limited, ec50: 1 ng/mL}}", "s.yaml:9 receptor.potency.ec50", "write dissociation_rate, or form: monotone"),
    "potency in cells": ("presented_by: HLA-A*02}", "presented_by: HLA-A*02, potency: {ec50: 1 cells}}", "s.yaml:9 receptor.potency.ec50", "is not a quantity in ng/mL"),
    "excluded spelled": ("source: made up}", 'excluded_alleles: ["A*2"], source: made up}', "hla.excluded_alleles[0]", "found 'A*2'; write an HLA allele"),
    "molecule spelled": ("presented_by: HLA-A*02", "presented_by: HLA-A2", "s.yaml:9 receptor.presented_by", "write an HLA class I molecule, for example HLA-A*02 or"),
    "group spelled": ("required_group: A*02:01 P group", "required_group: A2", "hla.required_group", "write an HLA group, for example A*02:01 P group"),
    "another molecule": ('["A*02:01"]', '["A*24:02"]', "hla.required_alleles[0]", "A*24:02 does not present the peptide: the receptor needs HLA-A*02; write an allele of"),
    "another group": ("required_group: A*02:01 P", "required_group: A*24:02 P", "hla.required_group", "A*24:02 P group does not present the peptide"),
    "required, excluded": ("source: made up}", 'excluded_alleles: ["HLA-A*02:01"], source: made up}', "hla.excluded_alleles[0]", "A*02:01 is required, HLA-A*02:01 excluded; keep it in one"),
    "scale of CRS": ("crs_scale: {name: ASTCT", "crs_scale: {name: Lee", "s.yaml:74 safety.crs_scale.name", 'nobody can grade by Lee 2019 here; write {name: ASTCT, version: "2019"}'),
    "version of ICANS": ('icans_scale: {name: ASTCT, version: "2019"', 'icans_scale: {name: ASTCT, version: "2014"', "safety.icans_scale.version", "nobody can grade by ASTCT 2014"),
    "version of CTCAE": ('version: "5.0"', 'version: "6.0"', "adverse_event_scale.version", 'write {name: CTCAE, version: "5.0"} or {name: CTCAE, version: "4.03"}'),
    "opens too early": ("opens: 2020-09-01", "opens: 2019-09-01", "s.yaml:16 sites[FR-B].opens", "before recruitment opens (2020-01-01); write a day from 2020-01-01 on"),
    "ends before it opens": ("ends: 2021-01-01", "ends: 2016-01-01", "s.yaml:19 recruitment.ends", "ends 2016-01-01 lies before opens 2020-01-01"),
    "closes early": ("opens: 2020-09-01", "opens: 2020-09-01, closes: 2020-08-01", "sites[FR-B].closes", "before it opens"),
    "one key for two sites": ("FR-A, name: Alpha, country: FR, opens: 2020-01-01, screening_rate: 2 people/month}\n  - {id: FR-B", "S-28017, name: Alpha, country: FR, opens: 2020-01-01, screening_rate: 2 people/month}\n  - {id: S-30818", "s.yaml:16 sites[S-30818].id", "'S-30818' would draw the same chance as 'S-28017'; give one of the two another id"),
    "more below less": ("fraction: 75 percent}", "fraction: 75 percent}, {below: 30 mL/min, fraction: 90 percent}", "fludarabine_by_renal_function[1].fraction", "below 30 mL/min the dose is 90 percent, more than the 75 percent below 70 mL/min; write 75 percent or less"),
    "a clearance twice": ("fraction: 75 percent}", "fraction: 75 percent}, {below: 70 mL/min, fraction: 50 percent}", "fludarabine_by_renal_function", "stands twice; keep one"),
    "no clearance": ("below: 70 mL/min", "below: 0 mL/min", "[0].below", "is not above zero; write a clearance"),
    "turnaround nothing": ("turnaround: 30 days", "turnaround: 0 days", "manufacture.turnaround", "found 0 days; write a time above zero, at most 365 days"),
    "turnaround of years": ("turnaround: 30 days", "turnaround: 30 years", "manufacture.turnaround", "write a time above zero, at most 365 days"),
    "before the test is read": ("turnaround: 30 days", "turnaround: 7 days", "manufacture.turnaround", "shorter than the required sterility test (14 days); write 14 days or more"),
    "shelf life nothing": ("shelf_life: 365 days", "shelf_life: 0 days", "manufacture.shelf_life", "found 0 days; write a time above zero"),
    "shelf life for ever": ("shelf_life: 365 days", "shelf_life: 365 years", "manufacture.shelf_life", "at most 20 years"),
    "spoilt on the way": ("shelf_life: 365 days", "shelf_life: 36 hours", "manufacture.shelf_life", "their longest way from the plant takes 2 days; write more than 2 days"),
    "peptide short": ("peptide: FMNKFIYEI", "peptide: FMN", "s.yaml:9 receptor.peptide", "found 'FMN'; write 8 to 11 amino-acid letters (ACDEFGHIKLMNPQRSTVWY)"),
    "peptide in small letters": ("peptide: FMNKFIYEI", "peptide: fmnkfiyei", "receptor.peptide", "write 8 to 11 amino-acid letters"),
    "no amino acid": ("peptide: FMNKFIYEI", "peptide: FMNKFIYEX", "receptor.peptide", "write 8 to 11 amino-acid letters"),
    "country spelled": ("{code: FR", "{code: France", "countries[France].code", "write two capital letters, for example FR"),
    "name with spaces": ("short_name: small", "short_name: small trial", "short_name", "write one word of letters, digits, '_', '-' or '.', without spaces"),
    "decimal comma": ("minimum_cells: 1e9", "minimum_cells: 0,6e9", "s.yaml:35 apheresis.minimum_cells", "'0,6e9 cells' has a comma in its number; write '0.6e9 cells'"),
    "comma beside value": ("minimum_cells: 1e9 cells", "minimum_cells: {value: 0,6e9 cells, source: me}", "s.yaml:35 apheresis.minimum_cells", "'0,6e9 cells' has a comma in its number; write '0.6e9 cells'"),
    "comma in a block": ("turnaround: 30 days", "turnaround: 30,5 days", "manufacture.turnaround", "'30,5 days' has a comma in its number; write '30.5 days'"),
    "thousand or one": ("size: 5,", "size: 1,000,", "dosing.expansion.size", "write '1000' if thousands are meant, '1.000' if a decimal is"),
    "no space": ("turnaround: 30 days", "turnaround: 30days", "manufacture.turnaround", "'30days' has no space between number and unit; write '30 days'"),
    "no number at all": ("turnaround: 30 days", "turnaround: .nan days", "manufacture.turnaround", "'.nan days' is not a finite number"),
    "power of ten": ("minimum_cells: 1e9", "minimum_cells: 0.6 x 10^9", "apheresis.minimum_cells", "write '0.6e9 cells'"),
    "square metre": ("dose: 20 mg/m^2/day", "dose: 20 mg/m2/day", "drugs[0].dose", "'mg/m2/day' is not a known unit; write '20 mg/m^2/day'"),
    "capital letters": ("turnaround: 30 days", "turnaround: 30 Days", "manufacture.turnaround", "write '30 days'"),
    "per cubic millimetre": ("{variable: ecog, at_most: 1}", "{variable: platelets, at_least: 75000 /mm^3}", "rule.all[0].at_least", "write '75000 cells/uL'"),
    "bilirubin by mass": ("{variable: ecog, at_most: 1}", "{variable: bilirubin, at_most: 2.5 mg/dL}", "rule.all[0].at_most", "write '42.76 umol/L' (1 mg/dL of bilirubin is 17.1 umol/L)"),
    "creatinine by mass": ("{variable: ecog, at_most: 1}", "{variable: creatinine, at_most: 1.5 mg/dL}", "rule.all[0].at_most", "write '132.6 umol/L' (1 mg/dL of creatinine is 88.4 umol/L)"),
    "near start": ("start_level: low", "start_level: hig", "start_level", "no dose level 'hig'; write low or high"),
    "near top": ("highest_level: high", "highest_level: hig", "highest_level", "no dose level 'hig'; write low or high"),
    "near regimen": ("in_force: weak", "in_force: strongest", "s.yaml:48", "no conditioning regimen 'strongest'; write weak or strong"),
    "like measures": ("measures: [age, sex", "measures: [age, alst, sex", "s.yaml:26", "nobody can measure 'alst'; write ast or alt"),
    "path above a path": ("{conditioning.in_force: strong", "{conditioning: {}, conditioning.in_force: strong", "s.yaml:101", "'conditioning.in_force' and 'conditioning' change the same part; keep one"),
    "one path, two names": ("{eligibility.afp.rule.any.0.at_least: 100 ng/mL", "{eligibility.0.rule.any.0.at_least: 100 ng/mL, eligibility.afp.rule.any.0.at_least: 90 ng/mL", "s.yaml:96", "change the same part; keep one of the two"),
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


def test_the_two_sites_of_the_collision_do_share_a_key():
    assert site_key("S-28017") == site_key("S-30818")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("screening_rate: 2 people/month", "screening_rate: 0 people/month"),
        ('["A*02:01"]', '["HLA-A*02:01", "A*02:06"]'),
        ("required_group: A*02:01 P group", "required_group: A*02:01P"),
        ('version: "5.0"', 'version: "4.03"'),
        ("ecog, at_most: 1}", "ecog, at_least: 4, at_most: 4}"),
        ("sterility: required, sterility_takes: 14 days", "sterility: conditional, sterility_takes: 40 days"),
        ("fraction: 75 percent}", "fraction: 75 percent}, {below: 30 mL/min, fraction: 0 percent}"),
        ("minimum_cells: 1e9 cells", "minimum_cells: {value: 1e9 cells, source: 'a, 5'}"),
    ],
)
def test_what_is_close_to_a_fault_and_none_is_read(old, new):
    assert SMALL.count(old) >= 1
    read_protocol(SMALL.replace(old, new, 1).encode(), "s.yaml")


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ([("ends: 2021-01-01", "ends: 2016-01-01")], 1),
        ([("minimum_cells: 1e9 cells", "minimum_cells: {value: 0,6e9 cells, source: me}")], 1),
        ([("minimum_cells: 1e9 cells", "minimum_cells: 0,6e9 cells")], 1),
        ([("graftline: graftline-protocol/1\n", "")], 1),
        ([("at_least: 18 years", "at_least: 200 years, at_most: -1 years")], 2),
    ],
)
def test_one_slip_is_told_once_and_two_by_themselves(changes, count):
    assert len(faults(*changes)) == count


def test_nobody_screened_at_any_site_is_one_fault():
    told = faults(("rate: 2 people", "rate: 0 people"), ("rate: 1 people", "rate: 0 people"))
    assert len(told) == 1 and "every site has a screening_rate of 0: nobody would be screened; write" in told[0]


def test_a_fault_inside_a_rule_stands_at_the_line_of_its_key():
    told = faults(
        (
            "rule: {variable: age, at_least: 18 years}}",
            "rule: {variable: age,\n      at_least: 18\n      , at_most: 300 years}}",
        )
    )
    assert [fault.split(":")[1] for fault in told] == [
        "33 eligibility[adult].rule.at_least",
        "34 eligibility[adult].rule.at_most",
    ]


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
    with pytest.raises(InputError, match=r"^PROTOCOL: the name is empty; write the path"):
        load_protocol("")
    with pytest.raises(InputError, match=r"^nosuch: there is no such file"):
        load_protocol("nosuch")
