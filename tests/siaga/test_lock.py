"""A lock is one process's at a time; who comes second is told by whom it is held."""

import os
from pathlib import Path

import pytest

from siaga.errors import AuthError, TemporaryError
from siaga.lock import BusyError, device_lock, held, holder


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


def test_one_device_is_spoken_to_by_one_at_a_time_and_others_meanwhile(tmp_path: Path) -> None:
    with device_lock(tmp_path, 7, "rtr1"):
        with pytest.raises(BusyError) as caught, device_lock(tmp_path, 7, "rtr1"):
            pass
        with device_lock(tmp_path, 8, "rtr2"):
            pass
    assert caught.value.code == "device-busy"
    assert f"rtr1 is being read or changed by another process (pid {os.getpid()})" in caught.value.sentence
