"""Virtual patients for the tests of the twin: their baseline is made here, so that only the twin is tested."""

import numpy as np
import pytest

from graftline.base.streams import Keys, Streams
from graftline.records import Baseline
from graftline.twin import Conditioning, CourseRequest, Infusion, SupportiveDoses, run_courses
from graftline.twin.simulate import draw_latents

REGIMEN = [("cyclophosphamide", day, 600.0, 1.0) for day in (-7, -6, -5)]
REGIMEN += [("fludarabine", day, 30.0, 0.5) for day in (-7, -6, -5, -4)]


def make_baseline(patients, **changes):
    """The house patient, `patients` times: median second-line HCC; changes are numbers or arrays."""
    fields = {
        "age": 68.0, "ecog": 0.0, "bilirubin": 17.0, "albumin": 36.0, "inr": 1.1, "ascites": 0.0, "encephalopathy": 0.0,
        "child_pugh": 5.0, "afp_serum": 400.0, "afp_tumour_ihc": 90.0, "afp_nontumour_ihc": 0.3,
        "hla_a0201p_alleles": 1.0, "lymphocytes": 1118.0, "neutrophils": 3675.0, "platelets": 153.0, "haemoglobin": 130.0,
        "creatinine": 70.0, "egfr": 90.0, "alt": 40.0, "ast": 62.0, "crp": 22.0, "weight": 75.0, "height": 173.28,
        "prior_lines": 1.0, "life_expectancy": 8.0,
    }  # fmt: skip
    flags = dict.fromkeys(
        (
            *("macrovascular_invasion", "extrahepatic_spread", "afp_secretor", "hla_excluded_allele"),
            *("progressed_on_systemic", "intolerant_of_systemic", "refuses_systemic", "resectable_or_transplantable"),
        ),
        False,
    )
    words = {"sex": "male", "aetiology": "alcohol", "bclc": "C"}
    diameters = changes.pop("lesion_diameters", np.array([66.0, np.nan, np.nan, np.nan, np.nan]))
    arrays = {name: np.full(patients, value) for name, value in {**fields, **flags, **words}.items()}
    arrays |= {name: np.broadcast_to(value, (patients,)).astype(np.float64) for name, value in changes.items()}
    return Baseline(
        lesion_diameters=np.broadcast_to(diameters, (patients, 5)).astype(np.float64),
        hla_a=np.full((patients, 2), "A*02:01"),
        **arrays,
    )


def varied_baseline(patients, seed=1):
    """Patients with the spread of lymphocytes, lesions, AFP, staining and liver values of the evidence pack."""
    chance = np.random.default_rng(seed)
    largest = np.clip(151 * np.exp(1.6 * chance.standard_normal(patients)), 0.5, 1500)
    count = chance.choice(5, patients, p=[0.47, 0.23, 0.15, 0.10, 0.05]) + 1
    volumes = largest[:, None] * chance.uniform(0.05, 1, (patients, 5))
    volumes[:, 0] = largest
    volumes[np.arange(5)[None, :] >= count[:, None]] = np.nan
    return make_baseline(
        patients,
        lesion_diameters=10 * (6 * volumes / np.pi) ** (1 / 3),
        lymphocytes=1118.0 * np.exp(0.5 * chance.standard_normal(patients)),
        afp_serum=np.exp(np.log(400) + 1.5 * chance.standard_normal(patients)),
        afp_tumour_ihc=np.full(patients, np.nan),
        afp_nontumour_ihc=np.full(patients, np.nan),
    )


def keys_of(patients):
    return Keys.of(0, 1, np.arange(patients))


def latents_of(baseline, seed=3):
    return draw_latents(baseline, keys_of(len(baseline)), Streams(seed))


def conditioning_for(patients, regimen=REGIMEN):
    rows = [(patient, *row) for patient in range(patients) for row in regimen]
    patient, drug, day, dose, hours = zip(*rows, strict=True)
    return Conditioning(
        patient=np.array(patient), drug=np.array(drug), dose=np.array(dose), protocol_day=np.array(day),
        hours=np.array(hours),
    )  # fmt: skip


def supportive_for(patients, rows):
    """Rows of drug, mg, model time, hours, the same for every patient."""
    every = [(patient, *row) for patient in range(patients) for row in rows]
    patient, drug, dose, time, hours = zip(*every, strict=True)
    return SupportiveDoses(
        patient=np.array(patient), drug=np.array(drug), dose=np.array(dose), time=np.array(time), hours=np.array(hours)
    )


def treated(latents, cells=5.0, conditioned=True, **more):
    """A request: conditioning 600 x 3 + 30 x 4 (or none) and one infusion on Day 1."""
    dose = np.broadcast_to(np.asarray(cells, dtype=float), (len(latents),))
    more.setdefault("start_time", np.full(len(latents), -7.0))
    return CourseRequest(
        latents=latents,
        conditioning=conditioning_for(len(latents)) if conditioned else Conditioning(),
        infusions=(Infusion(cells=dose, time=np.zeros(len(latents))),),
        **more,
    )


def typical_latents(patients=1, **changes):
    """Patients without spread: every draw at its median."""
    return latents_of_median(make_baseline(patients, **changes))


def latents_of_median(baseline):
    class _MedianStream:
        def uniform(self, keys, size=1):
            return np.full((len(keys), size), 0.5)

    class _MedianStreams:
        def named(self, *purpose):
            return _MedianStream()

    return draw_latents(baseline, keys_of(len(baseline)), _MedianStreams())


@pytest.fixture(scope="session")
def population():
    """Forty varied patients."""
    return latents_of(varied_baseline(40))


@pytest.fixture(scope="session")
def population_course(population):
    """The forty after conditioning and 5e9 cells."""
    times = np.concatenate([np.arange(-7, 28, 0.25), np.arange(28, 182, 1.0)])
    return run_courses(treated(population, modules=("marrow",)), times)
