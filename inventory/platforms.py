"""What is known of each make, read from the TOML files in platforms/: one platform, one file.

platform_format.py says what a file may say. `standard.toml` holds the MIBs of the standards; every platform has its
parts as well, after its own. The folder `platforms` in siaga's home holds files of the regency's own; one of the same
name as one of ours stands in its place.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from inventory.platform_format import Config, Part, Platform, SyslogPattern
from siaga.errors import InvalidError, NotFoundError
from siaga.settings import load
from siaga.text import safe

FOLDER = Path(__file__).parent / "platforms"
STANDARD = "standard"


Folders = tuple[Path, ...]


def folders() -> Folders:
    """Return where platform files are: ours, then the regency's own if there are any."""
    place = ("SIAGA_HOME", "SIAGA_CONFIG", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME")
    own = _own_folder(str(Path.cwd()), *(os.environ.get(name, "") for name in place))
    return (FOLDER, own) if own.is_dir() else (FOLDER,)


@cache
def _own_folder(*_where: str) -> Path:
    """Return the folder in siaga's home; the settings are read once for each place and environment."""
    return load().home / "platforms"


def platforms(*given: Path) -> tuple[Platform, ...]:
    """Return every platform of the folders that a device may be, by name; one without a match is only inherited.

    Raises InvalidError (`bad-platform`) with one problem per mistake, each naming its file.
    """
    return _matched(given or folders())


@cache
def _matched(where: Folders) -> tuple[Platform, ...]:
    return tuple(p for _, p in sorted(_files(where).items()) if p.match)


def platform(name: str, *given: Path) -> Platform | None:
    """Return the platform of that name, or None."""
    found = _files(given or folders()).get(name)
    return found if found and found.match else None


def named(name: str) -> Platform:
    """Return the platform of that name; raises NotFoundError (`no-such-platform`) that names those alike."""
    found = platform(name)
    if found is None:
        near = difflib.get_close_matches(name, [p.name for p in platforms()], n=3)
        hint = f" Did you mean {', '.join(near)}?" if near else " 'siaga platform list' lists them."
        raise NotFoundError("no-such-platform", f"No platform is called '{safe(name, 60)}'.{hint}")
    return found


def parts_of(known: Platform | None, *given: Path) -> tuple[Part, ...]:
    """Return what is read of a platform, its own first, then what it inherits, then the standards'.

    Of a device that is no platform, the standards' alone.
    """
    where = given or folders()
    files = _files(where)
    if known is None or files.get(known.name) is known:
        return _parts_of(known.name if known else "", where)
    return _gathered(known, files)


@cache
def _parts_of(name: str, where: Folders) -> tuple[Part, ...]:
    return _gathered(_files(where).get(name), _files(where))


def syslog_of(known: Platform, *given: Path) -> tuple[SyslogPattern, ...]:
    """Return the syslog patterns of a platform, its own first, then those of the files that it inherits."""
    return tuple(pattern for one in _line(known, _files(given or folders())) for pattern in one.syslog)


def config_of(name: str, *given: Path) -> tuple[str, Config] | None:
    """Return netmiko's device type and how the configuration is read, of a platform by name; None if nobody knows."""
    files = _files(given or folders())
    known = files.get(name)
    if known is None or not known.match:
        return None
    config = next((one.config for one in _line(known, files) if one.config), None)
    return (config.driver or known.netmiko, config) if config and (config.driver or known.netmiko) else None


def _gathered(known: Platform | None, files: dict[str, Platform]) -> tuple[Part, ...]:
    found: list[Part] = []
    for one in _line(known, files) if known else ():
        found += [Part.model_construct(**{k: getattr(one, k) for k in Part.model_fields}), *one.parts]
    if STANDARD in files:
        found += files[STANDARD].parts
    left_out = {name for one in (_line(known, files) if known else ()) for name in one.without}
    return tuple(part for part in found if part.name not in left_out)


def _line(known: Platform, files: dict[str, Platform]) -> Iterator[Platform]:
    yield known
    for name in known.inherits:
        yield from _line(files[name], files)


@cache
def _files(where: Folders) -> dict[str, Platform]:
    problems: list[str] = []
    found: dict[str, Platform] = {}
    for folder in where:
        found |= {p.name: p for path in sorted(folder.glob("*.toml")) if (p := read(path, problems))}
    problems += _strangers(found)
    if problems:
        told = " and ".join(map(str, where))
        raise InvalidError("bad-platform", f"The platform files in {told} are not valid.", problems)
    return found


def strangers(one: Platform, *where: Path) -> list[str]:
    """Return a problem for each name in a platform of another file that the folders do not know."""
    return _strangers({**_files(where), one.name: one})


def _strangers(found: dict[str, Platform]) -> list[str]:
    """Return a problem for each name that is inherited and has no file, stands in a circle, or is no standard part."""
    standard = {part.name for part in found[STANDARD].parts} if STANDARD in found else None
    problems = []
    for known in found.values():
        problems += [
            f"{known.name}.toml: inherits: there is no {n}.toml" for n in known.inherits if n not in found
        ]
        problems += [
            f"{known.name}.toml: without: {n!r} is no part of {STANDARD}.toml"
            for n in known.without
            if standard is not None and n not in standard
        ]
        if _in_circle(known.name, known.inherits, found):
            problems.append(f"{known.name}.toml: inherits itself in a circle")
    return problems


def _in_circle(name: str, inherited: tuple[str, ...], found: dict[str, Platform]) -> bool:
    seen: set[str] = set()
    left = list(inherited)
    while left:
        one = left.pop()
        if one == name:
            return True
        if one in found and one not in seen:
            seen.add(one)
            left += found[one].inherits
    return False


def read(path: Path, problems: list[str]) -> Platform | None:
    """Return the platform of one file; what is wrong with it is added to `problems`."""
    try:
        found = Platform.model_validate(tomllib.loads(path.read_text("utf-8")))
    except ValidationError as error:
        problems += [f"{path.name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{path.name}: {error}")
        return None
    except OSError as error:
        problems.append(f"{path.name}: {error.strerror}")
        return None
    if found.name != path.stem:
        problems.append(f"{path.name}: name is {found.name!r} and must be the file's own, {path.stem!r}")
    return found
