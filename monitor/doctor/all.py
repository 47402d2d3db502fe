"""All examinations, in the order in which one would mend what they find."""

from monitor.doctor import database, home, knowledge, machine, samples, service
from monitor.doctor.finding import WRONG, Examination, Finding, Patient
from siaga.errors import InvalidError
from siaga.text import safe

EXAMINATIONS: tuple[tuple[str, Examination], ...] = (
    ("settings", home.settings_files),
    ("home", home.home),
    ("permissions", home.permissions),
    ("database", database.database),
    ("disk", machine.disk),
    ("samples", samples.samples),
    ("clock", machine.clock),
    ("locks", service.locks),
    ("service", service.service),
    ("rounds", service.rounds),
    ("outbox", service.outbox),
    ("push", service.pushes),
    ("backups", service.wished),
    ("rules", knowledge.rules),
    ("platforms", knowledge.platform_files),
    ("routes", knowledge.routes),
    ("versions", machine.versions),
)
_WITHOUT_A_HOME = ("settings", "home", "clock", "versions")


def of(patient: Patient) -> list[tuple[str, Examination]]:
    """Return what can be examined."""
    there = patient.settings.home.is_dir()
    return [(area, look) for area, look in EXAMINATIONS if there or area in _WITHOUT_A_HOME]


def of_settings(error: InvalidError) -> list[Finding]:
    """Return what is wrong with settings that cannot be read; without them nothing else can be looked at."""
    todo = "Mend it: without valid settings nothing else can be looked at."
    return [
        Finding("settings", WRONG, f"{safe(p, 500).rstrip('.')}.", todo)
        for p in error.problems or (error.sentence,)
    ]
