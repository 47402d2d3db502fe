"""What the service reads again as it runs: settings, devices, rules, windows; what cannot be read stays as it was."""

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from functools import partial
from typing import Protocol

from sqlalchemy import Engine

from monitor.state import Standing
from monitor.surroundings import Read, read_all
from monitor.tier_rim import Setting
from siaga.errors import SiagaError
from siaga.settings import Settings

Problems = MutableMapping[str, str]  # sentences by what they are of; '' where all is well


class Holds(Protocol):
    """Whoever works by the settings, and is given others."""

    settings: Settings


class Rereading:
    """The settings in force and the newest reading of the inventory; `holders` are given new settings at once."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        now: Callable[[], datetime],
        say: Callable[[str], None],
        load: Callable[[], Settings],
        problems: Problems,
    ) -> None:
        self.settings = settings
        self.read: Read | None = None
        self.holders: list[Holds] = []
        self._engine, self._now, self._say, self._load = engine, now, say, load
        self._problems = problems

    def reload(self) -> None:
        """Read the settings again; broken ones leave those before in force, and say why."""
        try:
            self._adopt(self._load())
        except SiagaError as error:
            self._problems["settings"] = "; ".join([error.sentence.rstrip("."), *error.problems])
            self._say(f"the settings before are kept: {self._problems['settings']}")

    def _adopt(self, new: Settings) -> None:
        self._problems.pop("settings", None)
        old = self.settings
        if (new.home, new.database) != (old.home, old.database):
            self._problems["settings"] = "home and database_url change with a restart only"
            new = new.model_copy(update={"home": old.home, "database_url": old.database_url})
        self.settings = new
        for one in self.holders:
            one.settings = new
        self._say("the settings were read again")

    async def again(self, *, whole: bool = False) -> bool:
        """Read devices, rules and windows; tell whether other devices or settings than before came of it.

        Raises what reading raises the first time; later that is a problem, and all stays as it was.
        """
        work = partial(read_all, self._engine, self.settings, self._now(), self.read, whole=whole)
        try:
            found = await asyncio.to_thread(work)
        except SiagaError as error:
            if self.read is None:
                raise
            self._problems["inventory"] = error.sentence
            self._say(f"devices and rules stay as they were: {error.sentence}")
            return False
        self._problems.pop("inventory", None)
        self._tell("; ".join((*found.scene.problems, *found.roll.problems)))
        other = whole or self.read is None or found.mark != self.read.mark
        self.read = found
        return other

    def _tell(self, problems: str) -> None:
        if problems and problems != self._problems.get("scene"):
            self._say(problems)
        self._problems["scene"] = problems

    def setting(self, standings: Mapping[int, Standing] | None) -> Setting:
        """Return what is recorded around the devices, and who of them is silent."""
        assert self.read is not None
        known = standings or {}
        silent = frozenset(d for d, s in known.items() if s.silent)
        return Setting(self.read.committed, self.read.links(known), silent, self.read.backed_up)
