"""Tells the story of `siaga demo`: every step is a real siaga command, run as a user would type it.

The simulated devices run in a process of their own (demo.world); this process tells, runs the commands one
after the other, and ends the world however it ends itself.
"""

import fcntl
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from demo.regency import Regency, Secrets, build, workbook
from demo.world import Ports, WorldProcess, start
from inventory.credentials import store_secret
from inventory.database import initialise
from inventory.history import Author
from inventory.store import open_engine, session
from inventory.writing import Writer
from siaga.clock import JAKARTA, shown, utc_now
from siaga.errors import InvalidError, SiagaError, TemporaryError
from siaga.outcome import Outcome
from siaga.secrets import open_vault
from siaga.settings import Settings

MARK = ".siaga-demo"  # lies in every directory that a demo made: only such a one is ever emptied
ROUND_GAP_S = 4.0
_SETTINGS = """# Settings of the demo: the simulated devices are near, so a short patience is enough.
[poll]
timeout_s = 0.7
retries = 1
interval_s = 600

# The simulated servers have the files of this machine below /etc, which are nobody's to keep.
[backup]
around_jobs = false
"""


def tell(directory: str, *, keep: bool, seed: int) -> Outcome:
    """Run the whole story in `directory`; with `keep` hold the world until Ctrl-C.

    Raises InvalidError (`not-a-demo`) when the directory holds something else, and what a step raises.
    """
    home = Path(directory).resolve()
    with _held(home), _ended_in_order(home):
        _clear(home)
        _tell(home, keep=keep, seed=seed)
    return Outcome()


def _tell(home: Path, *, keep: bool, seed: int) -> None:
    began = time.monotonic()
    say = Teller(home, sys.stdout)
    say.title("siaga: a simulated regency, from nothing to the readiness report")
    say.text(
        "Kabupaten Tangerang: its 29 kecamatan, agencies (OPD) and applications are real names from public",
        "sources; every device, address, contract and traffic figure is invented for this demonstration.",
    )
    keys = Secrets.drawn()
    with _world(say, home, seed, keys) as (world, regency):
        _inventory(say, home, regency, seed)
        _yesterday(say, home, regency)
        _monitor(say)
        _provision(say, home)
        _report(say)
        say.title(f"Done in {time.monotonic() - began:.0f} s")
        say.where_next(keep)
        if keep:
            _hold(say, world)


@contextmanager
def _held(home: Path) -> Iterator[None]:
    """Make the directory and hold it, so that a second demo does not empty it under the first one's feet.

    Raises InvalidError (`not-a-demo`) when it holds something else, TemporaryError (`demo-running`).
    """
    if home.exists() and not (home / MARK).is_file() and any(home.iterdir()):
        sentence = f"{home} holds something that no demo made: choose another directory with --directory."
        raise InvalidError("not-a-demo", sentence)
    try:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o700)
        mark = (home / MARK).open("a+")
    except OSError as error:
        raise SiagaError("cannot-write", f"{home} cannot be written: {error.strerror}.") from None
    with mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sentence = f"Another demo is running in {home}: end it, or choose another place with --directory."
            raise TemporaryError("demo-running", sentence) from None
        yield


@contextmanager
def _ended_in_order(home: Path) -> Iterator[None]:
    """On Ctrl-C say what is left: files, and no process."""
    try:
        yield
    except KeyboardInterrupt:
        sys.stdout.write(f"\nStopped: no process is left. What was made so far is in {home}.\n")
        raise


class Teller:
    """Prints the story and runs its commands; `step` numbers the chapters."""

    def __init__(self, home: Path, out: TextIO) -> None:
        self.home = home
        self.out = out
        self.number = 0
        self.environment = {
            **os.environ,
            "SIAGA_HOME": str(home),
            "SIAGA_CONFIG": str(home / "siaga.toml"),
            "COLUMNS": os.environ.get("COLUMNS") or str(shutil.get_terminal_size((120, 40)).columns),
        }

    def title(self, text: str) -> None:
        """Print a heading."""
        self._print(f"\n{self._bold(text)}\n{'─' * len(text)}")

    def chapter(self, text: str) -> None:
        """Print the heading of the next step."""
        self.number += 1
        self.title(f"{self.number}. {text}")

    def text(self, *lines: str) -> None:
        """Print sentences."""
        self._print("\n".join(lines))

    def run(self, *arguments: str, fails_with: int = 0, head: int = 0) -> None:
        """Show a command and run it; only the first `head` lines of its output if that is not 0.

        Raises SiagaError (`demo-step-failed`) if it ends with another exit code than `fails_with`.
        """
        self._print(f"\n{self._bold('$ siaga ' + ' '.join(map(shlex.quote, arguments)))}")
        command = [sys.executable, "-P", "-m", "cli", *arguments]
        code = self._run_cut(command, head) if head else _run(command, self.environment, None)[0]
        if code != fails_with:
            words = " ".join(arguments)
            raise SiagaError(
                "demo-step-failed", f"'siaga {words}' ended with exit code {code}; its words stand above."
            )

    def _run_cut(self, command: Sequence[str], head: int) -> int:
        code, output = _run(command, self.environment, subprocess.PIPE)
        lines = output.splitlines()
        self.text(*lines[:head])
        if len(lines) > head:
            self.text(f"… and {len(lines) - head} more lines")
        return code

    def where_next(self, keep: bool) -> None:
        """Say what was made and how to go on."""
        self.text(
            f"  the report        {self.home / 'readiness.pdf'}",
            f"  in other forms    {self.home / 'readiness.html'}, {self.home / 'readiness.xlsx'}",
            f"  its figures       {self.home / 'readiness.json'}",
            f"  of last month     {self.home / 'reports'}",
            f"  the workbook      {self.home / 'regency.xlsx'}",
            f"  changed by play   {self.home / 'hosts'}",
        )
        home, config = (shlex.quote(str(p)) for p in (self.home, self.home / "siaga.toml"))
        programs = Path(sys.executable).parent
        self.text(f"  siaga itself      {programs / 'siaga'}  (or: . {programs / 'activate'})", "")
        use = f"export SIAGA_HOME={home} SIAGA_CONFIG={config}"
        if keep:
            self.text("The devices keep answering. In another terminal:", f"  {use}")
            self.text(
                "  siaga inspect rtr-kec-mauk · siaga poll role=router · siaga top · siaga status --all"
            )
            return
        self.text(
            "The simulated devices have been stopped; what was stored can still be asked:",
            f"  {use}",
            "  siaga status --all · siaga device show rtr-core-1 · siaga history verify",
            "To try the other commands against living devices: siaga demo --keep, and read docs/tour.md.",
        )

    def _bold(self, text: str) -> str:
        plain = not self.out.isatty() or os.environ.get("NO_COLOR")
        return text if plain else f"\x1b[1m{text}\x1b[0m"

    def _print(self, text: str) -> None:
        print(text, file=self.out, flush=True)


def _run(command: Sequence[str], environment: dict[str, str], stdout: int | None) -> tuple[int, str]:
    """Run a command; whatever ends the story ends the command."""
    # In a process group of its own: Ctrl-C comes to the story, which ends the command politely.
    with subprocess.Popen(command, env=environment, stdout=stdout, text=True, process_group=0) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            _end(process)
            raise
        return process.returncode, output or ""


def _end(process: "subprocess.Popen[str]") -> None:
    for act, patience_s in ((signal.SIGTERM, 8), (signal.SIGKILL, 5)):
        process.send_signal(act)
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(patience_s)
            return


def _clear(home: Path) -> None:
    """Empty the directory of what an earlier demo made; the mark, which is held, stays."""
    for path in home.iterdir():
        if path.name == MARK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    (home / "siaga.toml").write_text(_SETTINGS)


@contextmanager
def _world(say: Teller, home: Path, seed: int, keys: Secrets) -> Iterator[tuple[WorldProcess, Regency]]:
    say.chapter("The regency: devices that answer on 127.77.0.0/16")
    # SIGTERM ends the story as Ctrl-C does, so that the world is stopped in order.
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _started(say, home, seed, keys) as world:
            ports = world.ports
            regency = build(home, seed, keys, snmp_port=ports.snmp, ssh_port=ports.ssh, year=utc_now().year)
            say.text(
                f"{len(regency.agents)} SNMP agents (v2c and v3) on port {ports.snmp}, {len(regency.command_lines)}"
                f" switches that know only SSH and {len(regency.hosts)} Linux hosts on port {ports.ssh}.",
                "Their counters grow; some devices are down, some slow, some lose packets, some run hot.",
            )
            yield world, regency
    finally:
        signal.signal(signal.SIGTERM, before)


def _started(say: Teller, home: Path, seed: int, keys: Secrets) -> WorldProcess:
    """Start the world on its usual ports, or on any free ones if something else listens there."""
    try:
        return start(home, seed, keys, utc_now())
    except SiagaError as error:
        if error.code != "port-taken":
            raise
        say.text(f"{error.sentence} Free ones are taken instead.")
        return start(home, seed, keys, utc_now(), Ports(0, 0))


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _inventory(say: Teller, home: Path, regency: Regency, seed: int) -> None:
    say.chapter("Inventory: what should be, from the team's workbook")
    workbook(home / "regency.xlsx", regency)
    settings = Settings(home=home)
    initialise(settings)
    _store_credentials(settings, regency)
    say.text(
        "The database is made; credentials drawn for this demo lie sealed in it (siaga credential list).",
        "The workbook has a sheet for each kind of thing; rows refer to each other by name.",
    )
    say.run("import", str(home / "regency.xlsx"), "--why", "first inventory")
    say.run(
        "device",
        "list",
        "kecamatan=Balaraja or role=core-router",
        "--fields",
        "name,role,place,agency,address",
    )
    _office(say, home, regency, seed)
    say.run(
        "connection", "list", "agency.kind=rsud", "--fields", "name,contract,interface,committed_down_bps"
    )


def _office(say: Teller, home: Path, regency: Regency, seed: int) -> None:
    """Bring in what is written down beside the network: people, goods, papers, outages, budget, risks."""
    from demo import office

    office.workbook(home / "office.xlsx", office.rows(home, regency, seed, utc_now()))
    say.text("", "A second workbook has people, goods, papers and outages; the papers lie in the register.")
    say.run("import", str(home / "office.xlsx"), "--why", "people, goods and papers")


def _store_credentials(settings: Settings, regency: Regency) -> None:
    """Store the credentials of this demo; its secrets were drawn at random a moment ago."""
    vault = open_vault(settings.home)
    with session(open_engine(settings)) as opened:
        writer = Writer(opened, Author("demo", utc_now(), "credentials of the demo"))
        for credential in regency.credentials:
            fields = ("name", "kind", "username", "auth_protocol", "priv_protocol")
            writer.put("credential", {f: getattr(credential, f) for f in fields})
            writer.flush()
            for part, value in credential.secrets.items():
                store_secret(opened, vault, writer.ids("credential")[credential.name], part, SecretStr(value))
        writer.finish()


def _yesterday(say: Teller, home: Path, regency: Regency) -> None:
    """Give percentiles and availability a month and a day to rest on, computed from the same simulation."""
    from demo import history, month
    from inventory.store import labels, reading
    from monitor.samples import open_samples

    with reading(open_engine(Settings(home=home))) as opened:
        ids = {name: i for i, name in labels(opened, "device").items()}
    now = utc_now()
    with open_samples(home) as samples, session(open_engine(Settings(home=home))) as opened:
        earlier = month.write(samples, opened, regency, ids, now)
        count = history.write(samples, regency, ids, now)
    say.text(
        "",
        f"A demo of a minute has no yesterday: {count} values, what polls every five minutes would have read",
        f"of the same simulated counters in the last 24 hours, and {earlier} polls every half an hour since last",
        "month began, with a dozen outages among them, are written into the samples. Nearly two months at once",
        "come into files of days now, which otherwise is done each night: that takes a while.",
    )
    with open_samples(home) as samples:
        samples.maintain(now)


def _monitor(say: Teller) -> None:
    say.chapter("Monitoring: what is")
    say.text("One device first, without storing anything; then three rounds over all of them.")
    say.run("inspect", "rtr-kec-mauk", head=40)
    for number in (1, 2, 3):
        began = time.monotonic()
        say.run("poll")
        if number < 3:
            time.sleep(max(0.0, ROUND_GAP_S - (time.monotonic() - began)))
    say.text("", "A device is called down after two silent rounds; one behind it is unreachable, not down.")
    say.run("status")
    say.run("top", "-n", "8", "--since", "24h")
    say.run("alert", "list")
    say.run("device", "show", "rtr-kec-mauk", head=36)


def _provision(say: Teller, home: Path) -> None:
    say.chapter("Provisioning: plan, look, apply exactly that")
    say.text(
        "Three Linux hosts get time servers, an SNMPv3 agent and a stricter SSH, by Ansible over SSH. They are",
        "directories with an SSH server of their own: their files change, packages and services do not exist.",
    )
    say.run("plan", "baseline", "role=server", head=48)
    plan = _newest_plan(home)
    say.run("apply", plan, "--yes")
    say.text("", "The same once more: a play that is idempotent has nothing left to do.")
    say.run("plan", "baseline", "role=server", head=14)


def _newest_plan(home: Path) -> str:
    from sqlmodel import col, select

    from infra.models import Plan
    from inventory.store import reading

    with reading(open_engine(Settings(home=home))) as opened:
        found = opened.exec(select(Plan.name).order_by(col(Plan.id).desc())).first()
    if found is None:
        raise SiagaError("demo-step-failed", "The plan was not stored.")
    return found


def _report(say: Teller) -> None:
    say.chapter("The readiness report: what can be proved, and from what")
    target = say.home / "readiness.pdf"
    say.text("Last month first: its report is kept in the home, and the next one says what changed.")
    say.run("report", "monthly")
    period = f"{utc_now().astimezone(ZoneInfo(JAKARTA)):%Y-%m}"
    forms = (a for form in ("pdf", "html", "xlsx") for a in ("-o", str(target.with_suffix(f".{form}"))))
    say.run("report", "readiness", "--period", period, *forms)
    say.run("report", "verify", str(target))
    say.run("report", "readiness", "--period", period, "--explain", "INF-JAR-06", head=40)
    say.run("history", "verify")


def _hold(say: Teller, world: WorldProcess) -> None:
    """Wait for Ctrl-C, or until the world ends by itself."""
    say.text("", f"Running since {shown(utc_now())}. Ctrl-C ends it.")
    with suppress(KeyboardInterrupt):
        while world.alive():
            time.sleep(0.5)
    say.text("Stopped.")
