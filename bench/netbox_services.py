"""Brings up a NetBox of one's own: PostgreSQL, Redis and gunicorn, on 127.0.0.1, in one directory.

Everything is made anew with drawn passwords, runs as children of this process and is ended with it. The venv holds
NetBox from the Python registry (made with 4.7.3, which needs Python 3.12): python3.12 -m venv DIR && DIR/bin/pip
install netbox
"""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import measure, services

# Run by `netbox shell`: a superuser with a token of each version; prints the second's key, which is drawn.
_USER = """
import os
from users.models import Token, User
user = User.objects.create_superuser("admin", "admin@example.invalid", os.environ["SIAGA_PASSWORD"])
Token.objects.create(user=user, version=1, token=os.environ["SIAGA_TOKEN"])
token = Token(user=user, version=2)
token.save()
print("TOKEN", f"nbt_{token.key}.{token.token}")
"""


@dataclass(frozen=True)
class NetBox:
    """A running one: its URL, its superuser's password, a token of each version, and its processes."""

    url: str
    password: str
    token_v1: str
    token_v2: str
    environment: Mapping[str, str]
    pids: tuple[int, ...]


@contextmanager
def running(
    folder: Path, venv: Path, postgres: Path, redis: Path, *, max_page: int = 1000
) -> Iterator[NetBox]:
    """Bring NetBox up in `folder`, which gives at most `max_page` records at once."""
    with ExitStack() as stack:
        database = stack.enter_context(services.postgres(folder, postgres, "netbox"))
        cache = stack.enter_context(services.redis(folder, redis))
        root, port = folder / "root", services.free_port()
        (root / "conf").mkdir(parents=True)
        _configure(root / "conf" / "configuration.py", database, cache, max_page)
        environment = {
            **{k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TMPDIR")},
            "NETBOX_ROOT": str(root),
            "SIAGA_PASSWORD": secrets.token_hex(16),
            "SIAGA_TOKEN": secrets.token_hex(20),
        }
        netbox = str(venv / "bin" / "netbox")
        migrated = measure.child((netbox, "migrate", "--no-input"), environment)
        print(f"netbox migrate: {migrated.wall_s:.0f} s.", flush=True)
        told = measure.child((netbox, "shell", "-c", _USER), environment, keep=True).output
        token = next(line.split()[1] for line in told.splitlines() if line.startswith("TOKEN "))
        command = (
            venv / "bin" / "gunicorn",
            "-b",
            f"127.0.0.1:{port}",
            "-w",
            "2",
            "-t",
            "900",
            "netbox.wsgi",
        )
        pid = stack.enter_context(services.child(command, folder, environment=environment))
        services.reachable(port)
        yield NetBox(
            f"http://127.0.0.1:{port}",
            environment["SIAGA_PASSWORD"],
            environment["SIAGA_TOKEN"],
            token,
            environment,
            (database.pid, pid),
        )


def _configure(path: Path, database: services.Service, cache: services.Service, max_page: int) -> None:
    stores = {
        name: {"HOST": "127.0.0.1", "PORT": cache.port, "PASSWORD": cache.password, "DATABASE": number}
        for number, name in enumerate(("tasks", "caching"))
    }
    default = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "netbox",
        "USER": "netbox",
        "PASSWORD": database.password,
        "HOST": "127.0.0.1",
        "PORT": str(database.port),
    }
    settings = {
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "DATABASES": {"default": default},
        "REDIS": stores,
        "SECRET_KEY": secrets.token_hex(32),
        "API_TOKEN_PEPPERS": {1: secrets.token_hex(32)},
        "MAX_PAGE_SIZE": max_page,
        "CENSUS_REPORTING_ENABLED": False,
        "RELEASE_CHECK_URL": None,
    }
    path.write_text("".join(f"{k} = {v!r}\n" for k, v in settings.items()))
    path.chmod(0o600)
