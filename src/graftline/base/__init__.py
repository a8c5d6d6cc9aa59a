"""The ground everything stands on: units, chance, time, verdicts, errors, files. Knows no medicine."""
