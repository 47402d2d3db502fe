"""One run of backups: read many devices side by side, keep what changed as one commit, and note how each stands.

What is read waits in memory until the end: a run that is called off keeps what it has, one that is killed nothing, and
the next one reads again. Git is written first, then the database; between the two a crash leaves a commit that the next
run finds and takes up.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Engine
from sqlmodel import Session

from inventory.host_keys import KNOWN_HOSTS, note_first_uses
from inventory.platforms import config_of
from inventory.store import reading, session
from monitor.configs import store
from monitor.configs.fetch import fetch
from monitor.configs.listen import Limits
from monitor.configs.models import ConfigBackup, ConfigVersion
from monitor.configs.normalise import prepare_for
from monitor.configs.repo import Repository, path_of
from monitor.configs.values import Fetched, Means, Wanted
from monitor.dial import Lines
from monitor.login_alarms import CHANGED, TRUSTED
from monitor.login_alarms import judge as judge_keys
from siaga.hostkeys import HostKeys
from siaga.lock import held
from siaga.secrets import Vault, open_vault
from siaga.settings import Settings
from siaga.settled import seldom
from siaga.text import safe

GOOD = ("stored", "unchanged")
_MARK = 8  # hex digits of a secret's mark
_REASON = 500
_TELLS = timedelta(days=2)  # for so long a message tells who made a change that is only now seen


@dataclass(frozen=True)
class Kept:
    """What became of one device in a run."""

    device_id: int
    name: str
    result: str
    reason: str = ""
    added: int = 0
    removed: int = 0
    cause: str = ""
    author: str = ""
    took_s: float = 0.0


@dataclass(frozen=True)
class Round:
    """What a run came to; `commit` is '' if nothing had changed."""

    kept: tuple[Kept, ...] = ()
    commit: str = ""
    interrupted: bool = False

    def count(self, *results: str) -> int:
        """Return how many devices ended in one of these ways."""
        return sum(k.result in results for k in self.kept)


def back_up(
    engine: Engine,
    settings: Settings,
    ids: Sequence[int],
    *,
    who: str,
    now: Callable[[], datetime],
    run_id: int | None = None,
    cause: str = "",
    locked: bool = False,
    progress: Callable[[Fetched], None] | None = None,
) -> Round:
    """Read the configurations of these devices and keep what changed. Never raises for a device.

    `cause`: what explains a change (`job:7`); without, it is out-of-band. `locked`: the caller holds the device locks.
    """
    vault, began = open_vault(settings.home), now()
    with reading(engine) as opened:
        wanted = store.wanted(opened, ids, vault)
        named = store.changers(opened, began - _TELLS)
    known = HostKeys(settings.home / KNOWN_HOSTS, accept_new=settings.ssh.accept_new_host_keys)
    own = settings.backup
    means = Means(
        known_hosts=known,
        home=settings.home,
        timeout_s=settings.ssh.timeout_s,
        limits=Limits(settings.ssh.timeout_s, own.longest_s, own.most_bytes),
        mark=lambda device_id: _marker(vault, device_id),
        whole=lambda device_id, text: vault.mark(f"config/{device_id}\n{text}"),
        locked=locked,
    )
    with seldom():
        fetched, interrupted = _read_all(wanted, means, own.concurrency, progress)
    sentence = "Configurations are being written by another process (pid {pid})."
    with held(settings.home / "configs.lock", "configs-busy", sentence, wait_s=60.0):
        return _keep(
            engine, settings, vault, fetched, named,
            _Story(who, cause, began, now(), run_id, interrupted),
        )  # fmt: skip


def _marker(vault: Vault, device_id: int) -> Callable[[str], str]:
    """Return what masks the secrets of one device: the same secret of another device has another mark."""
    return lambda secret: f"<secret:{vault.mark(f'config/{device_id}/{secret}')[:_MARK]}>"


def _read_all(
    wanted: Sequence[Wanted], means: Means, concurrency: int, progress: Callable[[Fetched], None] | None
) -> tuple[list[Fetched], bool]:
    """Return what came, and whether it was called off before the end."""
    for platform in {one.target.platform for one in wanted}:
        if known := config_of(platform):
            prepare_for(known[1])
    lines = Lines()
    done: list[Fetched] = []
    pool = ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(wanted))), thread_name_prefix="backup")
    waiting: set[Future[Fetched]] = {pool.submit(fetch, one, means, lines) for one in wanted}
    try:
        while waiting:
            ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in ended:
                done.append(future.result())
                if progress is not None:
                    progress(done[-1])
    except KeyboardInterrupt:
        return done, True
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        lines.cut()
    return done, False


@dataclass(frozen=True)
class _Story:
    """Who ran it, why, when, and what happened besides."""

    who: str
    cause: str
    began: datetime
    now: datetime
    run_id: int | None
    interrupted: bool


def _keep(
    engine: Engine,
    settings: Settings,
    vault: Vault,
    fetched: Sequence[Fetched],
    named: Mapping[int, str],
    story: _Story,
) -> Round:
    repository = Repository(settings.home)
    digests = {f.wanted.device_id: _digest(f) for f in fetched}
    changed = [
        f
        for f in fetched
        if f.result == "good"
        and (digests[f.wanted.device_id] != f.wanted.digest or path_of(f.wanted.name) != f.wanted.path)
    ]
    told = {f.wanted.device_id: _told(f, named.get(f.wanted.device_id, ""), story) for f in changed}
    commit, counts = _commit(repository, changed, told, story)
    kept = [_kept(f, told, counts) for f in fetched]
    with session(engine) as writing:
        before = store.standing(writing)
        for f in changed:
            _version(writing, before, f, digests[f.wanted.device_id], told, counts, commit, vault, story)
        for f, k in zip(fetched, kept, strict=True):
            _note(writing, before, f, k, story)
        store.forget_old(writing, [f.wanted.device_id for f in changed], settings.backup.keep_full)
        good = [k.device_id for k in kept if k.result in GOOD]
        store.fulfilled(writing, good, story.began)
        judge_keys(writing, settings, _keys(kept), story.now, run_id=story.run_id)
        note_first_uses(
            writing, settings.home, who=story.who, now=story.now, cause=f"backup {story.run_id or ''}".strip()
        )
    if commit:
        repository.tidy()
    return Round(tuple(sorted(kept, key=lambda k: k.name)), commit, story.interrupted)


def _keys(kept: Sequence[Kept]) -> dict[str, str]:
    """Return how the host keys were; of a device that was not reached nothing is known."""
    reached = (k for k in kept if k.result not in ("silent", "busy", "failed", "refused"))
    return {k.name: CHANGED if k.result == "host-key-changed" else TRUSTED for k in reached}


def _digest(f: Fetched) -> str:
    return f.wanted.digest if f.same else sha256(f.normal.text.encode()).hexdigest()


def _told(f: Fetched, named: str, story: _Story) -> tuple[str, str]:
    """Return the cause of a change, and who made it as far as anybody says."""
    if story.cause:
        return story.cause, story.who
    cause = "out-of-band" if f.wanted.digest else "first"
    return cause, safe(named or f.normal.author, 80) if cause == "out-of-band" else story.who


def _commit(
    repository: Repository, changed: Sequence[Fetched], told: Mapping[int, tuple[str, str]], story: _Story
) -> tuple[str, Mapping[str, tuple[int, int]]]:
    """Write the changed files in one commit; return it, and path → lines added and removed."""
    files = {path_of(f.wanted.name): f.normal.text for f in changed}
    gone = [f.wanted.path for f in changed if f.wanted.path and f.wanted.path not in files]
    if not files:
        return "", {}
    head = repository.head()
    texts = [text.encode() for text in files.values()]
    if head and not gone and list(repository.blobs(head, [*files])) == texts:
        return head, {}  # a run before was killed between Git and the database
    authors = {told[f.wanted.device_id][1] for f in changed} - {""}
    author = authors.pop() if len(authors) == 1 else story.who
    commit = repository.commit(
        files, gone, message=_message(changed, told, story), author=author, at=story.now
    )
    return commit, repository.counts(commit)


def _message(changed: Sequence[Fetched], told: Mapping[int, tuple[str, str]], story: _Story) -> str:
    causes = sorted({told[f.wanted.device_id][0] for f in changed})
    title = f"{len(changed)} {'device' if len(changed) == 1 else 'devices'}: {', '.join(causes)}"
    lines = [title, ""]
    for f in sorted(changed, key=lambda f: f.wanted.name):
        cause, author = told[f.wanted.device_id]
        lines.append(f"{safe(f.wanted.name)}: {cause}{f', by {author}' if author else ''}")
    return "\n".join([*lines, "", f"Run: {story.run_id or '-'}", f"Cause: {', '.join(causes)}", ""])


def _kept(f: Fetched, told: Mapping[int, tuple[str, str]], counts: Mapping[str, tuple[int, int]]) -> Kept:
    device_id = f.wanted.device_id
    cause, author = told.get(device_id, ("", ""))
    added, removed = counts.get(path_of(f.wanted.name), (0, 0)) if cause else (0, 0)
    result = f.result if f.result != "good" else "stored" if device_id in told else "unchanged"
    return Kept(device_id, f.wanted.name, result, f.reason, added, removed, cause, author, f.took_s)


def _version(
    writing: Session,
    before: dict[int, ConfigBackup],
    f: Fetched,
    digest: str,
    told: Mapping[int, tuple[str, str]],
    counts: Mapping[str, tuple[int, int]],
    commit: str,
    vault: Vault,
    story: _Story,
) -> None:
    device_id = f.wanted.device_id
    cause, author = told[device_id]
    added, removed = counts.get(path_of(f.wanted.name), (0, 0))
    version = ConfigVersion(
        device_id=device_id,
        at=story.now,
        commit=commit,
        path=path_of(f.wanted.name),
        digest=digest,
        author=author,
        cause=cause,
        added=added,
        removed=removed,
        run_id=story.run_id,
        **store.sealed(vault, device_id, digest, f.full),
    )
    writing.add(version)
    writing.flush()
    row = before.setdefault(device_id, ConfigBackup(device_id=device_id, tried_at=story.now))
    row.version_id, row.path, row.digest = version.id, version.path, digest
    row.changed_at, row.changes = story.now, row.changes + 1


def _note(writing: Session, before: dict[int, ConfigBackup], f: Fetched, kept: Kept, story: _Story) -> None:
    row = before.setdefault(kept.device_id, ConfigBackup(device_id=kept.device_id, tried_at=story.now))
    row.tried_at, row.result, row.took_s = story.now, kept.result, round(kept.took_s, 3)
    row.reason = safe(kept.reason, _REASON)
    row.runs += 1
    if kept.result in GOOD:
        row.ok_at, row.failures, row.lines, row.mark = story.now, 0, f.full.count("\n"), f.mark
    elif kept.result != "busy":
        row.failures += 1
    writing.add(row)
