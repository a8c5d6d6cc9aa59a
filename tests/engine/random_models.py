"""Small random SBML models in which all that Level 3 Version 2 core has meets: see `written`."""

import random

import libsbml


def written(seed):
    """The text of a random model; the same for the same seed."""
    return _Writer(random.Random(seed)).text()


class _Writer:
    def __init__(self, chance):
        self.chance = chance
        self.document = libsbml.SBMLDocument(3, 2)
        self.model = self.document.createModel()
        self.model.setId("random")
        self.numbers = []
        """names that a formula may use"""
        self.settable = []
        """names that an event may set"""

    def text(self):
        self._functions()
        self._parameters()
        self._compartments()
        self._species()
        self._reactions()
        self._rules()
        self._events()
        return libsbml.writeSBMLToString(self.document)

    # formulas

    def _formula(self, text):
        math = libsbml.parseL3Formula(text)
        assert math is not None, libsbml.getLastParseL3Error()
        return math

    def _number(self, low=0.2, high=2.0):
        return f"{self.chance.uniform(low, high):.4g}"

    def _expression(self, depth=2):
        """Smooth, and between about 0.1 and 10 for such values."""
        pick = self.chance.choice
        if depth == 0 or self.chance.random() < 0.3:
            return pick([self._number(), *self.numbers, *self.numbers])
        one, other = self._expression(depth - 1), self._expression(depth - 1)
        return pick([
            f"({one} + {other})", f"{one} * {other} / (1 + abs({other}))", f"{one} / (1 + ({other})^2)",
            f"saturating({one}, {other})", f"(1 + tanh({one}))", f"exp(-abs({one}))", f"(1.5 + sin({one} + time))",
            f"sqrt(0.1 + abs({one}))", "half()", f"ln(1.5 + abs({one}))", f"max({one}, {other}, 0.3)",
        ])  # fmt: skip

    def _condition(self):
        name, limit, moment = self.chance.choice(self.numbers), self._number(0.1, 1.5), self._number(0.1, 2.5)
        return self.chance.choice([
            f"time > {moment}", f"time >= {moment}", f"{name} > {limit}", f"{name} < {limit}",
            f"time > {moment} && {name} < {limit}", f"not(time < {moment}) || {name} > 10 * {limit}",
            f"time > {moment} && time < {moment} + 0.3",
        ])  # fmt: skip

    # elements

    def _functions(self):
        for name, text in (
            ("half", "lambda(0.5)"),
            ("share", "lambda(y, x, y / (x + y))"),
            ("saturating", "lambda(x, y, 2 * share(abs(x), 0.1 + abs(y)) * half())"),
        ):
            function = self.model.createFunctionDefinition()
            function.setId(name)
            function.setMath(self._formula(text))

    def _parameters(self):
        for index in range(self.chance.randint(2, 4)):
            one = self.model.createParameter()
            one.setId(f"k{index}")
            one.setValue(float(self._number()))
            one.setConstant(False)
            self.numbers.append(one.getId())
            self.settable.append(one.getId())

    def _compartments(self):
        for index in range(self.chance.randint(1, 3)):
            one = self.model.createCompartment()
            one.setId(f"C{index}")
            one.setSpatialDimensions(self.chance.choice([3, 3, 2, 0]))
            one.setSize(float(self._number(0.5, 3.0)))
            kind = self.chance.choice(["constant", "rate", "assigned", "event"])
            one.setConstant(kind == "constant")
            if kind == "rate":
                self._rule(self.model.createRateRule(), one.getId(), f"{self._number(0.05, 0.3)} * {one.getId()}")
            if kind == "assigned":
                self._rule(self.model.createAssignmentRule(), one.getId(), f"{self._number(0.5, 2)} + 0.2 * time")
            if kind == "event":
                self.settable.append(one.getId())
            self.numbers.append(one.getId())

    def _rule(self, rule, variable, text):
        rule.setVariable(variable)
        rule.setMath(self._formula(text))

    def _species(self):
        pick = self.chance.choice
        for index in range(self.chance.randint(2, 4)):
            one = self.model.createSpecies()
            one.setId(f"S{index}")
            one.setCompartment(f"C{self.chance.randrange(self.model.getNumCompartments())}")
            one.setHasOnlySubstanceUnits(pick([True, False, False]))
            one.setBoundaryCondition(pick([True, False, False]))
            one.setConstant(one.getBoundaryCondition() and pick([True, False, False]))
            (one.setInitialAmount if pick([True, False]) else one.setInitialConcentration)(float(self._number()))
            if pick([True, False, False]):
                self._assignment(one.getId())
            self.numbers.append(one.getId())
            if not one.getConstant():
                self.settable.append(one.getId())

    def _assignment(self, name):
        one = self.model.createInitialAssignment()
        one.setSymbol(name)
        one.setMath(self._formula(f"{self._number()} + 0.5 * {self.chance.choice(self.numbers)}"))

    def _factor(self, name):
        one = self.model.createParameter()
        one.setId(name)
        one.setValue(float(self._number(0.5, 2.0)))
        one.setConstant(True)
        return name

    def _reactions(self):
        pick, species = self.chance.choice, list(self.model.getListOfSpecies())
        if pick([True, False]):
            self.model.setConversionFactor(self._factor("factor"))
        if pick([True, False, False]):
            pick(species).setConversionFactor(self._factor("own_factor"))
        reacting = [one.getId() for one in species if one.getBoundaryCondition() or not one.getConstant()]
        for index in range(self.chance.randint(1, 3)):
            one = self.model.createReaction()
            one.setId(f"J{index}")
            one.setReversible(False)
            source = pick(reacting)
            self._reference(one.createReactant(), source)
            self._reference(one.createProduct(), pick(reacting))
            law = one.createKineticLaw()
            law.setMath(self._formula(f"0.3 * k0 * {source} * ({self._expression(1)})"))
            local = law.createLocalParameter()
            local.setId("k0")
            local.setValue(float(self._number()))

    def _reference(self, one, species):
        one.setSpecies(species)
        one.setConstant(False)
        value = float(self._number(0.5, 2.0))
        one.setStoichiometry(value)
        kind = self.chance.choice(["plain", "plain", "named", "assigned", "initial", "rate", "event"])
        if kind == "plain":
            return
        one.setId(f"n{len(self.numbers)}")
        if kind == "assigned":
            self._rule(self.model.createAssignmentRule(), one.getId(), f"{value} * (1 + 0.1 * time)")
        if kind == "rate":
            self._rule(self.model.createRateRule(), one.getId(), "0.1")
        if kind == "initial":
            self._assignment(one.getId())
        if kind == "event":
            self.settable.append(one.getId())
        self.numbers.append(one.getId())

    def _rules(self):
        """Rate rules of some boundary species and of a parameter; assignments, written in the reverse of their order."""
        pick = self.chance.choice
        for one in self.model.getListOfSpecies():
            if one.getBoundaryCondition() and not one.getConstant() and pick([True, False]):
                self._rule(
                    self.model.createRateRule(), one.getId(), f"0.2 * ({self._expression()}) - 0.1 * {one.getId()}"
                )
        self._rule(self.model.createRateRule(), "k1", f"0.3 * ({self._expression()}) - 0.2 * k1")
        chain = [("a0", f"({self._expression()}) + piecewise(1, {self._condition()}, 0.5)")]
        rates = [name for name in self.numbers if self.model.getAssignmentRuleByVariable(name) is None]
        chain.append(("a1", f"rateOf({pick(rates)}) + a0"))
        chain.append(("a2", f"a1 * J0 + (time > 1) + {pick(self.numbers)}"))
        for name, text in reversed(chain):
            one = self.model.createParameter()
            one.setId(name)
            one.setConstant(False)
            self._rule(self.model.createAssignmentRule(), name, text)

    def _events(self):
        """Of every kind; priorities all differ, because the order of equal ones is not laid down."""
        pick, names = self.chance.choice, [*self.settable]
        for index in range(self.chance.randint(1, 4)):
            one = self.model.createEvent()
            one.setId(f"E{index}")
            one.setUseValuesFromTriggerTime(pick([True, False]))
            trigger = one.createTrigger()
            trigger.setMath(self._formula(self._condition()))
            trigger.setInitialValue(pick([True, False]))
            trigger.setPersistent(pick([True, False]))
            if pick([True, False]):
                one.createDelay().setMath(self._formula(f"{self._number(0.05, 0.6)} + 0.01 * a0"))
            one.createPriority().setMath(self._formula(f"{self.chance.randint(1, 3)} + 0.1 * {index} + 0.01 * time"))
            for name in self.chance.sample(names, min(len(names), self.chance.randint(1, 3))):
                to = one.createEventAssignment()
                to.setVariable(name)
                to.setMath(
                    self._formula(
                        pick([f"0.5 * {name} + {self._number()}", self._number(), f"0.3 + {self._expression(1)}"])
                    )
                )
