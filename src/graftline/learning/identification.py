"""Which parameters a schedule of measurements can and cannot tell apart, for any model of the engine.

Parameters are estimated on their logarithmic or logit scale. Fisher information says it for small changes around one
set of values, from the engine's sensitivities; profile likelihood confirms it far from there, on simulated readings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit

from .. import engine
from ..base.errors import Fault, InputError
from ..base.streams import Keys, Streams
from ..statistics import Information, Prior, Profile, fisher_information, fit, profiles, whitened
from .measurements import Measurement, all_times

Numbers = NDArray[np.float64]
Progress = Callable[[int, int], None]
_FARTHEST = np.log(100)  # of a fit from the typical patient, on the scale of estimation
_GRID = 13
_AS_GOOD_AS_NO_PRIOR = 100.0
_PROFILE_REACH = np.log(10)
_POWER = re.compile(r"(?P<name>\w+)(?:\^(?P<power>-?\d*\.?\d+))?")


@dataclass(frozen=True, kw_only=True)
class FreeParameter:
    """A parameter to be estimated, with what is known of it before."""

    name: str
    value: float
    """of the typical patient"""
    meaning: str = ""
    unit: str = ""
    scale: Literal["log", "logit"] = "log"
    prior_sd: float = np.inf
    """standard deviation on the scale of estimation; infinite: nothing is known"""

    @property
    def place(self) -> float:
        """The value on the scale of estimation."""
        return float(logit(self.value) if self.scale == "logit" else np.log(self.value))


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A typical patient, what is measured of them, and which parameters are to be estimated from it.

    `request` describes one patient; its times and outputs are not used. Readings that pass a limit of quantification in
    the typical patient are left out (`left_out`), which a full treatment of limits would not do.
    """

    model: engine.Model
    request: engine.Request
    parameters: tuple[FreeParameter, ...]
    measurements: tuple[Measurement, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    """output -> readings left out because the typical patient passes a limit there"""
    notes: Mapping[str, str] = field(default_factory=dict)
    """what must be said beside the numbers: label -> text"""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        return tuple(one.name for one in self.parameters)

    @cached_property
    def places(self) -> Numbers:
        """(parameters,): the typical patient on the scale of estimation."""
        return np.array([one.place for one in self.parameters])

    @cached_property
    def prior_sd(self) -> Numbers:
        """(parameters,)"""
        return np.array([one.prior_sd for one in self.parameters])

    @cached_property
    def covariance(self) -> Numbers:
        """(readings, readings): of the errors, output by output."""
        blocks = [one.covariance for one in self.measurements]
        whole = np.zeros((sum(map(len, blocks)),) * 2)
        first = 0
        for block in blocks:
            whole[first : first + len(block), first : first + len(block)] = block
            first += len(block)
        return whole

    def expected(self, places: Numbers, threads: int | None = None) -> tuple[Numbers, Numbers]:
        """Readings without error, on the scale of their errors, (sets, readings), and their derivatives with respect to
        the parameters on the scale of estimation, (sets, readings, parameters). NaN for sets that cannot be solved."""
        logs = np.array([one.scale == "log" for one in self.parameters])
        values = np.where(logs, np.exp(np.where(logs, places, 0.0)), expit(places))
        per_place = np.where(logs, values, values * (1 - values))
        found = engine.sensitivities(self.model, self._request(values), self.names, threads)
        slopes = found.values * per_place[:, None, None, :]
        columns, derivatives = [], []
        times = found.result.times
        for one in self.measurements:
            at = np.searchsorted(times, one.times)
            output = found.result.names.index(one.output)
            level, slope = found.result.values[:, at, output], slopes[:, at, output, :]
            if one.logarithmic:
                above = np.where(level > 0, level, np.nan)
                level, slope = np.log(above), slope / above[:, :, None]
            columns.append(level)
            derivatives.append(slope)
        return np.concatenate(columns, axis=1), np.concatenate(derivatives, axis=1)

    def _request(self, values: Numbers) -> engine.Request:
        """Of one patient per set of parameter values, (sets, parameters)."""
        count, doses = len(values), self.request.doses
        parameters = {name: np.repeat(array, count) for name, array in self.request.parameters.items()}
        parameters |= {name: values[:, place] for place, name in enumerate(self.names)}
        return replace(
            self.request,
            times=all_times(self.measurements),
            outputs=tuple(dict.fromkeys(one.output for one in self.measurements)),
            start=np.repeat(self.request.start, count),
            parameters=parameters,
            initial={name: np.repeat(array, count) for name, array in self.request.initial.items()},
            doses=engine.Doses(
                patient=np.repeat(np.arange(count), len(doses)),
                time=np.tile(doses.time, count),
                state=np.tile(doses.state, count),
                amount=np.tile(doses.amount, count),
                duration=np.tile(doses.duration, count),
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Identification:
    """What the measurements tell about the parameters, around the typical patient."""

    experiment: Experiment
    data: Information
    """of the measurements alone"""
    profiles: tuple[Profile, ...] = ()
    """of the likelihood alone"""
    profiles_with_prior: tuple[Profile, ...] = ()
    seed: int = 0

    @cached_property
    def posterior(self) -> Information:
        """Of measurements and priors together."""
        return self.data.with_prior(self.experiment.prior_sd)

    def table(self) -> pl.DataFrame:
        """A row per parameter: standard error from the measurements, the prior's and both together, on the scale of
        estimation, and the share by which the measurements narrow the prior (NaN without a prior)."""
        both, prior = self.posterior.standard_errors, self.experiment.prior_sd
        known = np.isfinite(prior)
        return pl.DataFrame(
            {
                "parameter": self.experiment.names,
                "meaning": [one.meaning for one in self.experiment.parameters],
                "value": [one.value for one in self.experiment.parameters],
                "unit": [one.unit for one in self.experiment.parameters],
                "scale": [one.scale for one in self.experiment.parameters],
                "error_data": self.data.standard_errors,
                "error_prior": prior,
                "error_both": both,
                "narrowed": np.where(known, 1 - np.where(known, both, 0.0) / prior, np.nan),
            }
        )

    @cached_property
    def correlations(self) -> Numbers:
        """(parameters, parameters): of estimates from the measurements, with as good as no prior, so that what is open
        shows as correlation instead of nothing."""
        return self.data.with_prior(np.full(len(self.experiment.parameters), _AS_GOOD_AS_NO_PRIOR)).correlations

    def ridge(self, names: Sequence[str]) -> Ridge:
        """What the measurements tell about the product of these parameters against each alone."""
        _check_known(names, self.experiment.names)
        best, product = self.data.best_combination(names), dict.fromkeys(names, 1.0)
        return Ridge(
            names=tuple(names),
            alone=tuple(self.data.error_of({name: 1.0}) for name in names),
            alone_both=tuple(self.posterior.error_of({name: 1.0}) for name in names),
            product=self.data.error_of(product),
            product_both=self.posterior.error_of(product),
            best=best,
            best_error=self.data.error_of(best),
            best_error_both=self.posterior.error_of(best),
            best_error_prior=self._prior_error_of(best),
        )

    def _prior_error_of(self, weights: Mapping[str, float]) -> float:
        pairs = zip(self.experiment.names, self.experiment.prior_sd, strict=True)
        return float(np.sqrt(sum((weights.get(name, 0.0) * sd) ** 2 for name, sd in pairs if name in weights)))

    def combinations(self) -> pl.DataFrame:
        """Eigenvectors of the measurements' information, best known first: information, standard error along the unit
        vector, and the parameters that weigh most in it."""
        values, directions = self.data.eigenvalues, self.data.directions
        errors = np.where(values > 0, 1 / np.sqrt(np.where(values > 0, values, 1.0)), np.inf)
        return pl.DataFrame(
            {
                "combination": list(range(1, len(values) + 1)),
                "information": values,
                "error": errors,
                "made_of": [_product(self.experiment.names, direction) for direction in directions.T],
            }
        )


@dataclass(frozen=True, kw_only=True)
class Ridge:
    """How well products of parameters are known against the parameters alone: standard errors on the scale of
    estimation, of natural logarithms for most. From the measurements alone, and (`_both`) with the priors too."""

    names: tuple[str, ...]
    alone: tuple[float, ...]
    """of each"""
    alone_both: tuple[float, ...]
    product: float
    """of the plain product"""
    product_both: float
    best: Mapping[str, float]
    """exponents of the product of powers that the measurements know best, the largest 1"""
    best_error: float
    best_error_both: float
    best_error_prior: float
    """of the priors alone; infinite if one of the factors has none"""


def experiment_for(
    model: engine.Model,
    request: engine.Request,
    parameters: Sequence[FreeParameter],
    measurements: Sequence[Measurement],
    threads: int | None = None,
) -> Experiment:
    """An experiment whose readings all lie within the limits of quantification for the typical patient.

    Raises InputError for parameters and outputs that the model does not have, for times before the start, for values
    that have no logarithm, and if no reading is left.
    """
    faults = [*_parameter_faults(model, parameters), *_measurement_faults(model, request, measurements)]
    if faults:
        raise InputError(faults)
    whole = Experiment(model=model, request=request, parameters=tuple(parameters), measurements=tuple(measurements))
    expected, _ = whole.expected(whole.places[None, :], threads)
    if np.isnan(expected).all():
        raise InputError(Fault("typical patient", "cannot be solved with sensitivities", "change its parameters"))
    kept: list[Measurement] = []
    left_out: dict[str, int] = {}
    first = 0
    for one in measurements:
        levels = expected[0, first : first + len(one.times)]
        first += len(one.times)
        levels = np.exp(levels) if one.logarithmic else levels
        seen = (levels >= one.lower_limit) & (levels <= one.upper_limit)
        left_out[one.output] = left_out.get(one.output, 0) + int(np.sum(~seen))
        times = tuple(time for time, here in zip(one.times, seen, strict=True) if here)
        kept += [replace(one, times=times)] if times else []
    if not kept:
        raise InputError(Fault("measurements", "none lies within its limits", "measure something else, or earlier"))
    return replace(whole, measurements=tuple(kept), left_out={name: count for name, count in left_out.items() if count})


def identify(
    experiment: Experiment,
    *,
    profiled: Sequence[str] = (),
    seed: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Identification:
    """Fisher information around the typical patient and, for `profiled`, profile likelihoods on simulated readings.

    `profiled` are parameters or products of powers of them ("mT*s^0.5"). A profile runs over a factor of ten to both
    sides of the typical patient (of n parameters: ten to the power of the root of n), with and without the priors, the
    other parameters fitted anew, none farther than a factor of hundred from the typical patient. Readings are drawn
    from `seed`. The same for any `threads`. Raises InputError.
    """
    products = [_factors(text, experiment.names) for text in profiled]
    expected, slopes = experiment.expected(experiment.places[None, :], threads)
    found = Identification(
        experiment=experiment,
        data=fisher_information(experiment.names, slopes[0], experiment.covariance),
        seed=seed,
    )
    if not products:
        return found
    chance = Streams(seed).named("identify", "error").normal(Keys.of(0, 0, 0), expected.shape[1])[0]
    readings = expected[0] + np.linalg.cholesky(experiment.covariance) @ chance

    def evaluate(places: Numbers) -> tuple[Numbers, Numbers]:
        levels, derivatives = experiment.expected(places, threads)
        covariance = experiment.covariance
        residuals = whitened((levels - readings).T, covariance).T
        count = len(places)
        flat = derivatives.transpose(1, 0, 2).reshape(len(readings), -1)
        white = whitened(flat, covariance).reshape(len(readings), count, -1).transpose(1, 0, 2)
        return residuals, white

    prior = Prior(mean=experiment.places, standard_deviation=experiment.prior_sd)
    done = [
        _profiles(experiment, evaluate, list(zip(profiled, products, strict=True)), one, _part(progress, part))
        for part, one in enumerate((None, prior))
    ]
    return replace(found, profiles=done[0], profiles_with_prior=done[1])


def _profiles(
    experiment: Experiment,
    evaluate: Callable[[Numbers], tuple[Numbers, Numbers]],
    products: Sequence[tuple[str, Numbers]],
    prior: Prior | None,
    progress: Progress | None,
) -> tuple[Profile, ...]:
    bounds = experiment.places - _FARTHEST, experiment.places + _FARTHEST
    best = fit(evaluate, experiment.places[None, :], bounds, prior)
    reach = np.linspace(-_PROFILE_REACH, _PROFILE_REACH, _GRID)
    asked = [
        (name, weights, float(weights @ experiment.places) + np.sqrt(np.count_nonzero(weights)) * reach)
        for name, weights in products
    ]
    return profiles(evaluate, best, asked, bounds, prior, progress=progress)


def _part(progress: Progress | None, part: int) -> Progress | None:
    """Progress of one half of two."""
    if progress is None:
        return None
    return lambda done, of: progress(part * of + done, 2 * of)


def _factors(text: str, names: Sequence[str]) -> Numbers:
    """Weights of a product such as "a*b^0.5" among the parameters; raises InputError."""
    weights = dict.fromkeys(names, 0.0)
    for part in text.split("*"):
        found = _POWER.fullmatch(part.strip())
        if found is None:
            raise InputError(Fault(f"profile {text}", f"{part!r} is no parameter", "write for example mT*s^0.5"))
        _check_known([found["name"]], names)
        weights[found["name"]] += float(found["power"] or 1)
    return np.array(list(weights.values()))


def _check_known(chosen: Sequence[str], names: Sequence[str]) -> None:
    faults = [
        Fault(f"profile {name}", "is none of the estimated parameters", f"choose from {', '.join(names)}")
        for name in chosen
        if name not in names
    ]
    if faults:
        raise InputError(faults)


def _parameter_faults(model: engine.Model, parameters: Sequence[FreeParameter]) -> list[Fault]:
    faults = []
    if not parameters:
        faults.append(Fault("parameters", "there are none to estimate", "name at least one"))
    names = [one.name for one in parameters]
    for one in parameters:
        place = f"parameter {one.name}"
        if one.name not in model.parameters:
            faults.append(Fault(place, "is no parameter of the model", f"choose from {', '.join(model.parameters)}"))
        elif names.count(one.name) > 1:
            faults.append(Fault(place, "stands twice", "name it once"))
        elif not one.value > 0 or (one.scale == "logit" and not one.value < 1):
            found = f"is {one.value:g}, which has no {'logit' if one.scale == 'logit' else 'logarithm'}"
            faults.append(Fault(place, found, "leave it out, or give it a value above 0"))
    return faults


def _measurement_faults(
    model: engine.Model, request: engine.Request, measurements: Sequence[Measurement]
) -> list[Fault]:
    known = (*model.states, *model.observables)
    faults = [
        Fault(f"measurement {one.output}", "is no state or observable of the model", f"choose from {', '.join(known)}")
        for one in measurements
        if one.output not in known
    ]
    start = float(request.start[0])
    faults += [
        Fault(f"measurement {one.output}", f"at {min(one.times):g} is before the start", f"measure from {start:g} on")
        for one in measurements
        if min(one.times) < start
    ]
    return faults


def _product(names: Sequence[str], weights: Numbers) -> str:
    """The parameters that weigh most in a combination, as a product of powers."""
    shown = [place for place in np.argsort(-np.abs(weights)) if abs(weights[place]) >= _WORTH_SHOWING]
    return " ".join(f"{names[place]}^{weights[place]:.2f}" for place in shown)


_WORTH_SHOWING = 0.2
