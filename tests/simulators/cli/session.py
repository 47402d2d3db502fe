"""One login at a simulated device: keys are echoed one by one, lines answered in the mode they are typed in."""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

import asyncssh

from tests.simulators.cli.device import Device, Where
from tests.simulators.cli.dialect import Secretly, is_one
from tests.simulators.cli.going_back import staged, timed, trial_status
from tests.simulators.cli.menus import Menus
from tests.simulators.cli.sets import Sets

_ERRORS = (OSError, asyncssh.Error, asyncssh.BreakReceived, asyncssh.SignalReceived)
Answer = Callable[[str], bool]


class Session:
    """What one login sees. `_ask` takes the next line, or key, instead of the command line if it is set."""

    def __init__(self, device: Device, process: "asyncssh.SSHServerProcess[str]") -> None:
        self.device, self.dialect, self._process = device, device.dialect, process
        privileged = not (self.dialect.enable and (device.enable_secret or self.dialect.enable_free))
        mode = "config" if device.faults.begins_in_config else "privileged" if privileged else "user"
        self.at = Where(mode)
        self.user = (process.get_extra_info("username") or device.user).partition("+")[0]
        self._paged = bool(self.dialect.pager_off)
        self._ask: Answer | None = None
        self._silent = False  # what is typed is not echoed: a secret
        self._key: Answer | None = None  # the next key counts at once: a pager
        self._pages: list[str] = []
        self._dead = False
        self._renamed = False
        self._cut = False  # nothing comes through any more, in neither direction
        self.candidate: Any = None  # where lines count only once they are committed

    @property
    def config(self) -> Any:
        """The configuration that lines change: the device's, or this session's candidate."""
        return self.device.config if self.candidate is None else self.candidate

    async def run(self) -> None:
        """Talk until the other side ends it."""
        with suppress(*_ERRORS):
            await self._talk()
        pending = self.device.clock.pending
        if pending is not None and pending.owner is self and not self._cut:
            self.device.clock.revert()
        with suppress(*_ERRORS):
            self._process.exit(0)

    async def _talk(self) -> None:
        self._say(self.dialect.greeting)
        if self.dialect.any_key:
            self._say(self.dialect.any_key)
            self._key = self._begun
        else:
            self._say(self._prompt())
        line, after_cr = "", False
        while keys := await self._keys():
            for key in keys:
                skip = key == "\n" and after_cr
                after_cr = key == "\r"
                if skip:
                    continue
                if self._key is not None:
                    if not self._key(key):
                        return
                elif key in "\r\n":
                    line, entered = "", line
                    if not self._entered(entered.strip()):
                        return
                else:
                    line = self._typed(line, key)
            await self._process.stdout.drain()

    async def _keys(self) -> str:
        while True:
            try:
                return await self._process.stdin.read(4096)
            except asyncssh.TerminalSizeChanged:
                continue

    def _typed(self, line: str, key: str) -> str:
        if key in "\b\x7f":
            return line[:-1]
        if key == "\x03":
            return ""
        if not key.isprintable() or len(line) > 4096:
            return line
        self._say("" if self._silent or self._cut else key)
        return line + key

    def _begun(self, key: str) -> bool:
        self._key = None
        self._say("\n" + self._prompt())
        return True

    def _entered(self, line: str) -> bool:
        """Answer one line; False ends the session."""
        if self._cut:
            return True
        self._say("\n")
        if self._ask is not None:
            ask, self._ask, self._silent = self._ask, None, False
            return ask(line)
        self._renamed = self._renamed or bool(line and line == self.device.faults.renamed_by)
        self.device.heard.append(line)
        out = self._answer(line)
        if out is None:
            return False
        return self.prints(out)

    def prints(self, out: list[str]) -> bool:
        """Print lines, a page at a time if the pager is on, and then the prompt unless something is asked."""
        lines = self.dialect.pager.lines
        while self.device.clock.notices:
            self._say(self.device.clock.notices.pop() + "\n")
        if self._paged and len(out) > lines:
            self._pages = out[lines:]
            self._say("".join(x + "\n" for x in out[:lines]) + self.dialect.pager.mark)
            self._key = self._next_page
            return True
        if not self._told("".join(x + "\n" for x in out)):
            return False
        self._cut = self._cut or self.device.holds(self.device.faults.cut_by)
        if self._cut and self.device.faults.hangs_up:
            self._process.channel.get_connection().abort()
            return False
        if self._ask is None and not self._dead and not self._cut:
            self._say(self._prompt())
        return True

    def _told(self, text: str) -> bool:
        """Say it, as far as the device's faults let it; False ends the session."""
        faults = self.device.faults
        limit = faults.cut_after if faults.cut_after is not None else faults.stall_after
        if limit is not None and len(text) > limit:
            self._say(text[:limit])
            self._dead = True
            return faults.cut_after is None
        self._say(text)
        return True

    def _next_page(self, key: str) -> bool:
        self._say(self.dialect.pager.erase)
        self._key = None
        count = 1 if key in "\r\n" else self.dialect.pager.lines
        if key in "qQ\x03":
            self._pages = []
        out, self._pages = self._pages[:count], self._pages[count:]
        self._say("".join(x + "\n" for x in out))
        if self._pages:
            self._say(self.dialect.pager.mark)
            self._key = self._next_page
        else:
            self._say(self._prompt())
        return True

    def _is(self, line: str, commands: tuple[str, ...]) -> bool:
        return is_one(line, commands, abbreviates=self.dialect.abbreviates)

    def _answer(self, line: str) -> list[str] | None:
        """Return what a line is answered with; None ends the session."""
        known = self.dialect
        if not line:
            return []
        if said := self._refused(line):
            return said
        self.device.hears(line)
        if self._is(line, known.pager_off):
            if self.device.faults.pages_always:
                return list(known.unknown)
            self._paged = False
            return []
        if self._is(line, known.quiet):
            return []
        if line in self.device.told:
            return self.device.told[line].split("\n")
        if known.trial is not None and line == known.trial.asked:
            pending = self.device.clock.pending
            left_s = 0 if pending is None else int(pending.due_s - self.device.clock.now_s)
            return [
                f"Trial status: {'ACTIVE' if pending else 'INACTIVE'}",
                f"Trial time left (sec): {left_s}",
            ]
        if line in known.answers:
            text = known.answers[line].format(host=self.device.host, user=self.user)
            return text.rstrip("\n").split("\n") if text else []
        if self.at.mode == "config":
            return self._configured(line)
        if self._is(line, known.leave) or line in ("exit", "quit", "logout"):
            if isinstance(self.device.config, Menus) and self.at.path:
                self.at.path.clear()
                return []
            return None
        return self._commanded(line)

    def _refused(self, line: str) -> list[str]:
        """Return what a line is refused with, if this device's faults have it so."""
        faults = self.device.faults
        if faults.forbids and line.startswith(faults.forbids):
            return ["not enough permissions (9)"]
        return list(self.dialect.unknown) if self._is(line, faults.refuses) else []

    def _commanded(self, line: str) -> list[str] | None:
        known = self.dialect
        if known.enable and self._is(line, (known.enable,)):
            return self._enabled()
        if self.at.mode == "user":
            return list(known.unknown)
        if known.disable and self._is(line, (known.disable,)):
            self.at.mode = "user" if self.device.enable_secret or known.enable_free else "privileged"
            return []
        if known.revert is not None and (said := timed(self, line)) is not None:
            return said
        if self._is(line, known.config):
            self.at = Where("config")
            self.candidate = deepcopy(self.device.config) if known.trial else None
            return list(known.config_says)
        return self._looked(line)

    def _looked(self, line: str) -> list[str]:
        """Answer what is asked of a configuration: to show it, to keep it, and of some makes to change it."""
        known, device = self.dialect, self.device
        if self._is(line, known.show):
            return device.running()
        if self._is(line, known.hidden):
            return device.running(hidden=True)
        if self._is(line, known.show_saved):
            return device.startup()
        if known.trial is not None and line == known.trial.asked:
            return trial_status(device)
        for save in known.save:
            if self._is(line, (save.command,)):
                return self._saved(save.asks, list(save.says))
        if known.shape in ("menus", "tables", "keys"):
            return self._changed(line)
        return list(known.unknown)

    def _enabled(self) -> list[str]:
        if self.at.mode == "privileged" or not self.device.enable_secret:
            self.at.mode = "privileged"
            return []
        self._ask, self._silent = self._secret, True
        self._say(self.dialect.enable_asks)
        return []

    def _secret(self, line: str) -> bool:
        right = line == self.device.enable_secret
        self.at.mode = "privileged" if right else "user"
        return self.prints([] if right else [self.dialect.enable_fails])

    def asks(self, question: str, answered: Answer) -> None:
        """Ask something; the next line is the answer."""
        self._ask = answered
        self._say(question)

    def _saved(self, asks: str, says: list[str]) -> list[str]:
        if not asks:
            self.device.save()
            return says

        def answered(line: str) -> bool:
            if line.lower() in ("", "y", "yes"):
                self.device.save()
                return self.prints(says)
            return self.prints([])

        self.asks(asks, answered)
        return []

    def _configured(self, line: str) -> list[str] | None:
        """Answer a line of configuration mode."""
        known, config = self.dialect, self.device.config
        if known.trial is not None and (said := staged(self, line)) is not None:
            return said
        if self._is(line, known.end):
            self.at = Where("privileged")
            self.candidate = None
            return []
        if self._is(line, known.leave):
            if self.at.path:
                self.at.path.pop()
            else:
                self.at = Where("privileged")
            return []
        if line.startswith(("do ", "run ")):
            return self._looked(line.partition(" ")[2])
        if self._is(line, known.show) or any(self._is(line, (s.command,)) for s in known.save):
            return self._looked(line)
        if isinstance(config, Sets):
            return self._candidate(config, line)
        return self._changed(line)

    def _candidate(self, config: Sets, line: str) -> list[str]:
        known = self.dialect
        if line in ("show | compare", "compare"):
            return config.compared()
        if self._is(line, known.rollback):
            config.rollback()
            return ["load complete"]
        if line.split()[0] == "commit":
            if line != "commit check":
                config.commit()
                self.device.note_change(self.user)
            if line.endswith("and-quit"):
                self.at = Where("privileged")
            return ["configuration check succeeds"] if line == "commit check" else list(known.commit_says)
        return config.enter(line, self.at.path) or []

    def _changed(self, line: str) -> list[str]:
        found = next((s for s in self.dialect.secrets if re.fullmatch(s.pattern, line)), None)
        if found is None:
            return self._kept(line)
        if found.prompts:
            return self._prompted(found, line, list(found.prompts))
        return self._hidden(found, line, line)

    def _prompted(self, found: Secretly, line: str, prompts: list[str]) -> list[str]:
        """Ask for a secret as often as the device does; it is taken if all answers are the same."""
        said: list[str] = []

        def answered(text: str) -> bool:
            said.append(text)
            if len(said) < len(prompts):
                self._ask, self._silent = answered, True
                self._say(prompts[len(said)])
                return True
            same = said.count(text) == len(said) and text
            return self.prints(
                self._hidden(found, line, text) if same else ["Error: The two passwords differ."]
            )

        self._ask, self._silent = answered, True
        self._say(prompts[0])
        return []

    def _hidden(self, found: Secretly, line: str, secret: str) -> list[str]:
        """Keep a line as the device shows it afterwards: the secret as a cipher, or not at all."""
        cipher = hashlib.sha256(secret.encode()).hexdigest()[:32]
        if found.asked:
            told = re.sub(found.pattern, found.asked, line)
            self.device.told[told] = re.sub(found.pattern, found.answer, line)
        if found.stored:
            return self._kept(re.sub(found.pattern, found.stored, line).replace("{cipher}", cipher))
        return []

    def _kept(self, line: str) -> list[str]:
        before = self.config.lines()
        said = self.config.enter(line, self.at.path)
        if self.config.lines() != before:
            self.device.note_change(self.user)
        return said or []

    def _prompt(self) -> str:
        known, device = self.dialect, self.device
        template = getattr(known.prompt, self.at.mode)
        section = ""
        if self.at.path:
            section = self.config.section(self.at.path)
            template = known.prompt.section
        host = "Lain" if self._renamed else device.host
        mark = "~" if self.config.lines() == device.config.lines() else "*"
        return template.format(host=host, user=self.user, section=section, mark=mark)

    def _say(self, text: str) -> None:
        if self._process.is_closing():
            raise BrokenPipeError
        self._process.stdout.write(text.replace("\n", "\r\n"))
