"""Short ways to write SBML texts in tests."""

MATHML = 'xmlns="http://www.w3.org/1998/Math/MathML"'
TIME = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time">t</csymbol>'


def sbml(inside, level=3, version=2):
    space = f"level{level}/version{version}" + ("/core" if level == 3 else "")
    space = "level2" if (level, version) == (2, 1) else space
    head = f'<sbml xmlns="http://www.sbml.org/sbml/{space}" level="{level}" version="{version}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>{head}<model id="m">{inside}</model></sbml>'


def apply(operator, *arguments):
    """An operator of MathML; one that begins with a capital is a function of the model."""
    first = f"<{operator}/>" if operator[0].islower() else f"<ci>{operator}</ci>"
    return f"<apply>{first}{''.join(map(part, arguments))}</apply>"


def part(argument):
    """Numbers and names as leaves; MathML as it is."""
    if isinstance(argument, (int, float)):
        return f"<cn>{argument!r}</cn>"
    return argument if argument.startswith("<") else f"<ci>{argument}</ci>"


def csymbol(name, *arguments):
    url = f"http://www.sbml.org/sbml/symbols/{name}"
    symbol = f'<csymbol encoding="text" definitionURL="{url}">{name}</csymbol>'
    return f"<apply>{symbol}{''.join(map(part, arguments))}</apply>" if arguments else symbol


def piecewise(*parts):
    """Values and conditions in turn, then the otherwise if one is left."""
    pieces = "".join(
        f"<piece>{part(value)}{part(condition)}</piece>"
        for value, condition in zip(parts[0::2], parts[1::2], strict=False)
    )
    rest = f"<otherwise>{part(parts[-1])}</otherwise>" if len(parts) % 2 else ""
    return f"<piecewise>{pieces}{rest}</piecewise>"


def math(formula):
    return f"<math {MATHML}>{part(formula)}</math>"


def several(name, *elements):
    return f"<listOf{name}>{''.join(elements)}</listOf{name}>" if elements else ""


def parameters(**values):
    return several(
        "Parameters", *(f'<parameter id="{name}" value="{value}" constant="false"/>' for name, value in values.items())
    )


def rule(kind, variable, formula):
    """kind: assignment or rate"""
    return f'<{kind}Rule variable="{variable}">{math(formula)}</{kind}Rule>'


def initial(symbol, formula):
    return f'<initialAssignment symbol="{symbol}">{math(formula)}</initialAssignment>'


def function(name, arguments, body):
    bound = "".join(f"<bvar><ci>{one}</ci></bvar>" for one in arguments)
    return f'<functionDefinition id="{name}"><math {MATHML}><lambda>{bound}{part(body)}</lambda></math></functionDefinition>'


def compartment(name="C", size='size="2"', dimensions=3, constant="true"):
    return f'<compartment id="{name}" {size} spatialDimensions="{dimensions}" constant="{constant}"/>'


def species(name="S", given='initialAmount="1"', amounts="false", boundary="false", constant="false", within="C"):
    return (
        f'<species id="{name}" compartment="{within}" {given} hasOnlySubstanceUnits="{amounts}"'
        f' boundaryCondition="{boundary}" constant="{constant}"/>'
    )


def made(name="S", given='stoichiometry="1"', rate=1, reaction="J", local=""):
    """A reaction that makes a species."""
    return (
        f'<reaction id="{reaction}" reversible="false"><listOfProducts><speciesReference species="{name}" {given}'
        f' constant="false"/></listOfProducts><kineticLaw>{math(rate)}{local}</kineticLaw></reaction>'
    )


def event(trigger, *assignments, initially="true"):
    """assignments: variable, formula"""
    changes = "".join(
        f'<eventAssignment variable="{name}">{math(formula)}</eventAssignment>' for name, formula in assignments
    )
    return (
        f'<event useValuesFromTriggerTime="true"><trigger initialValue="{initially}" persistent="true">{math(trigger)}'
        f"</trigger>{several('EventAssignments', changes)}</event>"
    )
