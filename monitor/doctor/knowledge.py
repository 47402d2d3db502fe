"""What siaga goes by: rules, platforms, routes, selectors; files that cannot be read, and routes that lead nowhere."""

from collections.abc import Iterator
from pathlib import Path

from inventory.platforms import platforms
from inventory.store import reading
from monitor.doctor.finding import OK, WRONG, Finding, Patient
from monitor.notify.outfit import outfit
from monitor.rules import files
from monitor.scene import open_scene
from siaga.errors import InvalidError, SiagaError
from siaga.text import safe


def rules(patient: Patient) -> Iterator[Finding]:
    """Look whether the rules can be read, and whether layers and selectors say what they may."""
    try:
        found = files.load(patient.settings.home)
    except InvalidError as error:
        for problem in error.problems:
            todo = "Mend the file, or remove it; until then the service keeps the rules before."
            yield Finding("rules", WRONG, f"{safe(problem, 300)}.", todo)
        return
    yield Finding("rules", OK, f"{len(found)} rules can be read.")
    if patient.engine is None:
        return
    with reading(patient.engine) as opened:
        scene = open_scene(opened, patient.settings, patient.now)
    for problem in scene.problems:
        yield Finding("rules", WRONG, safe(problem, 300), "Mend the layer, silence or route that says so.")


def platform_files(patient: Patient) -> Iterator[Finding]:
    """Look whether every platform file can be read."""
    del patient
    try:
        found = platforms()
    except InvalidError as error:
        for problem in error.problems or (error.sentence,):
            yield Finding("platforms", WRONG, f"{safe(problem, 300)}.", "Mend the file, or remove it.")
        return
    yield Finding("platforms", OK, f"{len(found)} platforms can be read.")


def routes(patient: Patient) -> Iterator[Finding]:
    """Look whether each route has its channel, its options and its secret; nothing is sent."""
    if patient.engine is None:
        return
    wrong = False
    for route in patient.settings.routes:
        try:
            outfit(patient.engine, patient.settings, route.name)
        except SiagaError as error:
            wrong = True
            said = safe(" ".join([error.sentence, *error.problems]), 300)
            yield Finding("routes", WRONG, said, "Mend [[routes]], or add the credential.")
    if not wrong:
        said = (
            f"{len(patient.settings.routes)} routes are set up"
            if patient.settings.routes
            else "No route is set up"
        )
        yield Finding("routes", OK, f"{said}; without one, alerts go to {Path('alerts.jsonl')} in the home.")
