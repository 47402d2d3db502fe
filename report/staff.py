"""Who of the recorded people keeps the network and the applications: told by the words of their roles. Pure."""

import re
from collections.abc import Collection

from report.questions import Questions
from report.records import Person


def staff(ask: Questions, roles: Collection[str]) -> list[Person]:
    """Return the people one of whose role's words is among `roles`, by name."""
    wanted = {r.casefold() for r in roles}
    people = ask.every(Person) or ()
    return [p for p in people if wanted & set(re.findall(r"[^\W\d_]+", p.role.casefold()))]
