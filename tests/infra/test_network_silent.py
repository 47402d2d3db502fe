"""A network device that lets everybody in and never prompts: whoever waits for it is told so, in bounded time."""

import asyncio
from pathlib import Path

import pytest

from infra.network_dialects import dialect
from infra.network_session import Access, NotReachedError, Session
from tests.infra.test_faults import prompting_never


@pytest.mark.parametrize("platform", ["ios", "vrp", "ruijie", "routeros"])
def test_a_prompt_that_never_comes_is_a_device_that_was_not_reached(
    platform: str, loop: asyncio.AbstractEventLoop, tmp_path: Path
) -> None:
    with prompting_never(loop, "127.86.9.1") as port:
        access = Access(
            "127.86.9.1", port, "noc", "x", known_hosts=tmp_path / "known", accept_new=True, timeout_s=1
        )
        with pytest.raises(
            NotReachedError, match=rf"127\.86\.9\.1:{port} could not be logged in to: \w.*\.$"
        ):
            Session(access, dialect(platform), {})
