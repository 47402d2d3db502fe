"""What another system answers is read to its end and no further: odd answers, pages without end, other hosts."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from inventory.imports.fetching import Api, Patience, pages
from siaga.errors import InvalidError
from tests.json_server import Reply, served

HASTY = Patience(connect_s=2, answer_s=2, whole_s=5, tries=2, wait_s=0, sleep=lambda _: None)
Query = dict[str, int]
Page = dict[str, Any]


@contextmanager
def serving(
    answer: Callable[[Query], Any], kind: str = "application/json", status: int = 200, location: str = ""
) -> Iterator[tuple[str, list[Query]]]:
    """Serve what `answer` makes of offset and limit; yield the URL and what was asked."""
    asked: list[Query] = []

    def replied(path: str, _: Mapping[str, str]) -> Reply:
        query = {k: int(v[0]) for k, v in parse_qs(urlsplit(path).query).items()}
        asked.append(query)
        assert len(asked) < 50, "it is asked for ever"
        return Reply(answer(query), status, kind, {"Location": location} if location else {})

    with served(replied) as url:
        yield url, asked


def read(url: str, limit: int = 2) -> list[Any]:
    with Api(url, "NetBox", {"Authorization": SecretStr("kunci")}, patience=HASTY) as api:
        return [r["id"] for r in pages(api, "api/x/", limit=limit)]


def paged(ids: list[Any], *, most: int = 100) -> Callable[[Query], Page]:
    """Return what answers as NetBox does: count, next, results; at most `most` at once, whatever is asked for."""

    def answer(query: Query) -> Page:
        end = query["offset"] + min(query["limit"], most)
        return {
            "count": len(ids),
            "next": f"http://elsewhere.example/?offset={end}" if end < len(ids) else None,
            "results": [{"id": i} for i in ids[query["offset"] : end]],
        }

    return answer


# --- pages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_every_record_of_every_page_is_read_once(most: int) -> None:
    with serving(paged([1, 2, 3, 4, 5], most=most)) as (url, asked):
        assert read(url, limit=3) == [1, 2, 3, 4, 5]
    assert [q["offset"] for q in asked] == list(range(0, 5, min(most, 3)))


def test_a_record_that_moved_to_the_next_page_meanwhile_is_given_once() -> None:
    with serving(paged([1, 2, 2, 3, 4])) as (url, _):
        assert read(url) == [1, 2, 3, 4]


def test_a_server_that_gives_the_same_page_for_ever_is_left() -> None:
    page = {"count": 1000, "next": "http://elsewhere.example/?offset=2", "results": [{"id": 1}, {"id": 2}]}
    with serving(lambda _: page) as (url, asked), pytest.raises(InvalidError) as caught:
        read(url)
    assert caught.value.code == "api-answer"
    assert caught.value.sentence == (
        f"{url}/api/x/ gave the same records again when it was asked for those from number 3 on:"
        " the list would never end."
    )
    assert len(asked) == 2


def test_a_server_that_gives_more_than_it_announced_is_left() -> None:
    def answer(query: Query) -> Page:
        begin = query["offset"]
        return {"count": 5, "next": "more", "results": [{"id": i} for i in range(begin, begin + 2)]}

    with serving(answer) as (url, asked), pytest.raises(InvalidError, match="announced 5 records, gave 6"):
        read(url)
    assert len(asked) == 3


def test_records_without_an_id_end_too() -> None:
    with (
        serving(lambda _: {"next": "more", "results": [{"name": "a"}]}) as (url, _),
        pytest.raises(InvalidError, match="would never end"),
        Api(url, "NetBox", patience=HASTY) as api,
    ):
        list(pages(api, "api/x/"))


# --- odd answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html>\n<html><body>Masuk</body></html>", "it is a web page"),
        (b"\n <HTML lang='id'>", "it is a web page"),
        (b"<?xml version='1.0'?><a/>", "it is XML or HTML"),
        (b"", "it is empty"),
        (b'{"count": 1,\n "results": [', "it is none (line 2)"),
        (b"[" * 100_000, "it is none"),
        (b"\xff\xfe", "it is none (line 1)"),
    ],
)
def test_what_calls_itself_json_and_is_none_is_told_in_plain_words(content: bytes, reason: str) -> None:
    with serving(lambda _: content) as (url, _), pytest.raises(InvalidError) as caught:
        read(url)
    assert caught.value.sentence == (
        f"{url}/api/x/ calls its answer JSON, but {reason}: is that the address of NetBox?"
    )


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://netbox.example.go.id:8443/api/x/?limit=2", "https://netbox.example.go.id:8443"),
        ("http://127.0.0.1:1/netbox/api/x/", "http://127.0.0.1:1/netbox"),
        ("https://user:sandi@other.example/masuk", "https://other.example"),
        ("https://[2001:db8::1]:444/api/x/", "https://[2001:db8::1]:444"),
    ],
)
def test_another_host_gets_no_token_and_is_named_as_it_has_to_be_given(location: str, told: str) -> None:
    with serving(lambda _: {}, status=301, location=location) as (url, asked):
        with pytest.raises(InvalidError) as caught:
            read(url)
        assert len(asked) == 1
    assert caught.value.sentence == (
        f"NetBox at {url} sends on to {told}, which gets no token: give that address instead, if it is right."
    )
