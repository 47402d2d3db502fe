"""A lock is one process's at a time; who comes second is told by whom it is held."""

import os
from pathlib import Path

import pytest

from siaga.errors import AuthError, TemporaryError
from siaga.lock import BusyError, held, holder


def test_the_second_is_told_who_holds_it_whatever_the_path_is_called(tmp_path: Path) -> None:
    path = tmp_path / "{odd}" / "a.lock"
    with held(path, "busy", f"{path.parent} is held by {{pid}}."):
        assert holder(path) == str(os.getpid())
        with pytest.raises(BusyError) as caught, held(path, "busy", f"{path.parent} is held by {{pid}}."):
            pass
    assert caught.value.sentence == f"{path.parent} is held by {os.getpid()}."
    assert holder(path) == ""
    with held(path, "busy", "free again"):
        pass


def test_a_place_where_nothing_can_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((TemporaryError, AuthError)), held(tmp_path / "file" / "a.lock", "busy", "busy"):
        pass
    assert holder(tmp_path / "none.lock") == ""
