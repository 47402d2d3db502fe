"""What Ansible has built is kept, and is another thing as soon as a source of it is."""

import os
import time
from pathlib import Path

import pytest

from infra import built_modules


@pytest.fixture
def plays(tmp_path: Path) -> Path:
    """A folder of plays with a module of its own."""
    (tmp_path / "plays/library").mkdir(parents=True)
    (tmp_path / "plays/library/own").write_text("#!/usr/bin/python3\n")
    (tmp_path / "plays/play.yml").write_text("- hosts: all\n")
    return tmp_path / "plays"


def test_the_same_sources_have_the_same_place_and_a_changed_one_another(tmp_path: Path, plays: Path) -> None:
    base = tmp_path / "built"
    first = built_modules.folder(base, plays)
    (plays / "play.yml").write_text("- hosts: all\n  tasks: []\n")
    assert built_modules.folder(base, plays) == first, "a play is no module"
    (plays / "library/own").write_text("#!/usr/bin/python3 -I\n")
    second = built_modules.folder(base, plays)
    (plays / "roles/x/module_utils").mkdir(parents=True)
    (plays / "roles/x/module_utils/basic.py").write_text("")
    third = built_modules.folder(base, plays)
    assert len({first, second, third}) == 3
    assert [oct(p.stat().st_mode & 0o777) for p in base.iterdir()] == ["0o700"] * 3


def test_a_collection_that_is_installed_or_changed_counts(
    tmp_path: Path, plays: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = built_modules.folder(tmp_path / "built", plays)
    module = tmp_path / "ansible_collections/a/b/plugins/modules/m.py"
    module.parent.mkdir(parents=True)
    module.write_text("x = 1\n")
    installed = built_modules.folder(tmp_path / "built", plays)
    module.write_text("x = 22\n")
    assert len({before, installed, built_modules.folder(tmp_path / "built", plays)}) == 3


def test_what_somebody_else_has_put_there_is_not_taken(tmp_path: Path, plays: Path) -> None:
    own = built_modules.folder(tmp_path / "built", plays)
    own.rename(tmp_path / "elsewhere")
    own.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        built_modules.folder(tmp_path / "built", plays)


def test_what_nobody_has_used_for_long_goes(tmp_path: Path, plays: Path) -> None:
    old = tmp_path / "built/old"
    old.mkdir(parents=True)
    (old / "packet").write_text("x")
    long_ago = time.time() - built_modules.KEPT_S - 60
    os.utime(old, (long_ago, long_ago))
    own = built_modules.folder(tmp_path / "built", plays)
    assert list((tmp_path / "built").iterdir()) == [own]
