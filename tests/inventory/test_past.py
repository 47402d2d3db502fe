"""What was can be seen again (--at), and a change set can be taken back, whatever was done in between."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from inventory.history import Author, breaks
from inventory.models import Change
from inventory.past import as_of, as_of_set
from inventory.store import reading, rows, session
from inventory.undo import entries, undo
from inventory.writing import BadRowError, Writer
from siaga.errors import NotFoundError
from tests.inventory.conftest import NOW

NOUNS = ("place", "agency", "device", "interface", "prefix", "contact", "person", "vlan")
NAMES = st.sampled_from(["a", "b", "c"])
OPTIONAL = st.sampled_from(["", "a", "b", "c"])
YES_NO = st.sampled_from(["yes", "no"])


def putting(noun: str, required: dict[str, Any], **optional: Any) -> Any:
    return st.tuples(st.just(noun), st.fixed_dictionaries(required, optional=optional))


STEPS = st.one_of(
    putting(
        "place",
        {"name": NAMES, "kind": st.sampled_from(["site", "kecamatan"])},
        parent=OPTIONAL,
        notes=OPTIONAL,
    ),
    putting("agency", {"name": NAMES}, place=OPTIONAL, title=OPTIONAL),
    putting("person", {"name": NAMES}, competences=st.sampled_from(["", "jaringan", "jaringan data"])),
    putting(
        "device",
        {"name": NAMES},
        place=OPTIONAL,
        agency=OPTIONAL,
        parent=OPTIONAL,
        serial=OPTIONAL,
        virtual=YES_NO,
        **{"var.x": OPTIONAL},
    ),
    putting(
        "interface",
        {"device": NAMES, "name": st.sampled_from(["e0", "e1"])},
        speed_bps=st.sampled_from(["", "1G"]),
        vlan=st.sampled_from(["", "v1", "v2"]),
    ),
    putting("vlan", {"name": st.sampled_from(["v1", "v2"]), "vid": st.sampled_from(["10", "20", "30"])}),
    putting("prefix", {"name": st.sampled_from(["10.0.0.0/8", "10.1.0.0/16"])}, place=OPTIONAL, pool=YES_NO),
    putting("contact", {"person": NAMES, "target_noun": st.just("device"), "target": NAMES}),
    st.tuples(st.just("rm"), st.tuples(st.sampled_from(NOUNS), st.integers(0, 3))),
    st.tuples(
        st.just("rename"), st.tuples(st.sampled_from(["place", "agency", "device", "person"]), NAMES, NAMES)
    ),
)
# What is there at the start, so that most steps are allowed.
BEGUN: list[tuple[str, Any]] = [
    *[("place", {"name": n, "kind": "site"}) for n in "abc"],
    *[(noun, {"name": n}) for noun in ("agency", "person", "device") for n in "ab"],
    ("vlan", {"name": "v1", "vid": "10"}),
    ("interface", {"device": "a", "name": "e0", "vlan": "v1"}),
]


def step(writer: Writer, what: str, how: Any) -> None:
    if what == "rm":
        ids = sorted(writer.names(how[0]))
        if ids:
            writer.remove(how[0], ids[how[1] % len(ids)])
    elif what == "rename":
        found = writer.ids(how[0]).get(how[1])
        if found is not None:
            writer.set(how[0], found, {"name": how[2]})
    else:
        writer.put(what, how)


def picture(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Return every row as an operator sees it, by name: ids may differ."""
    with reading(engine) as opened:
        seen = {n: rows(opened, n) for n in NOUNS}
    for found in seen.values():
        for row in found:
            del row["id"]
        found.sort(key=lambda r: (str(r.get("device")), str(r["name"])))
    return seen


def done(engine: Engine, number: int, steps: list[tuple[str, Any]]) -> bool:
    """Do some steps as one change set, a minute after the one before; return whether they were allowed."""
    try:
        with session(engine) as opened:
            writer = Writer(opened, Author("budi", NOW + timedelta(minutes=number)))
            for what, how in steps:
                step(writer, what, how)
            writer.finish()
    except BadRowError:
        return False
    return True


def emptied(engine: Engine) -> None:
    with session(engine) as opened:
        for name in ("place", "device", "interface"):
            opened.execute(text(f"UPDATE {name} SET parent_id = NULL"))
        for name in (
            "contact", "interface", "device", "prefix", "vlan", "person", "agency", "place", "change", "history_head"
        ):  # fmt: skip
            opened.execute(text(f"DELETE FROM {name}"))


# An empty variable is none, at the first writing as at any other.
AGAIN: list[tuple[str, Any]] = [("device", {"name": "c", "var.x": ""})]


@example([AGAIN, AGAIN])
@example([[("rm", ("place", 1)), ("rename", ("place", "a", "b"))]])
@settings(
    max_examples=60,
    deadline=None,
    phases=set(Phase) - {Phase.shrink},
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=1, max_size=6))
def test_every_moment_can_be_seen_again_and_the_last_set_taken_back(
    engine: Engine, sets: list[list[tuple[str, Any]]]
) -> None:
    emptied(engine)
    assert done(engine, -1, BEGUN)
    pictures = []
    for number, steps in enumerate(sets):
        event("allowed" if done(engine, number, steps) else "refused")
        pictures.append(picture(engine))
    for number, expected in enumerate(pictures):
        then = as_of(engine, NOW + timedelta(minutes=number, seconds=1))
        assert picture(then) == expected
        then.dispose()
    with reading(engine) as opened:
        assert list(breaks(opened)) == []
        last = opened.execute(text("SELECT max(change_set) FROM change")).scalar()
    before = as_of(engine, _begun(engine, last) - timedelta(seconds=1))
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW + timedelta(hours=1)))
        undo(writer, entries(opened, last))
        writer.finish()
    assert picture(engine) == picture(before)
    before.dispose()
    with reading(engine) as opened:
        assert list(breaks(opened)) == []


def _begun(engine: Engine, change_set: int) -> Any:
    with reading(engine) as opened:
        return entries(opened, change_set)[0]["at"]


def put(engine: Engine, noun: str, values: dict[str, Any], minute: int) -> None:
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW + timedelta(minutes=minute)))
        writer.put(noun, values)
        writer.finish()


def test_a_set_that_somebody_changed_since_is_not_taken_back(engine: Engine) -> None:
    put(engine, "device", {"name": "rtr-1", "serial": "A", "notes": "first"}, 0)
    put(engine, "device", {"name": "rtr-1", "serial": "B", "notes": "second"}, 1)
    put(engine, "device", {"name": "rtr-1", "serial": "C"}, 2)
    with pytest.raises(BadRowError) as caught, session(engine) as opened:
        undo(Writer(opened, Author("siti", NOW)), entries(opened, 2))
    told = "device 'rtr-1': serial was changed since (change set 3, budi)"
    assert caught.value.problems == (("serial", told),)
    with session(engine) as opened:
        writer = Writer(opened, Author("siti", NOW))
        undo(writer, entries(opened, 2), force=True)
        writer.finish()
    (row,) = picture(engine)["device"]
    assert (row["serial"], row["notes"]) == ("C", "first")
    with pytest.raises(NotFoundError), reading(engine) as opened:
        entries(opened, 99)


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("UPDATE change SET who = 'nobody' WHERE id = 2", "Entry 2 (device rtr-2) was edited"),
        ("DELETE FROM change WHERE id = 2", "Entry 3 does not follow"),
        ("DELETE FROM change WHERE id = 3", "The end does not fit"),
        ("UPDATE change SET id = id + 100 WHERE id = 2", "Entry 3 does not follow"),
        ("UPDATE change SET change_set = 9 WHERE id = 3", "Entry 3 (device rtr-3) was edited"),
        ("DELETE FROM change", "The end does not fit"),
        ("DELETE FROM history_head", "The end does not fit"),
    ],
)
def test_whatever_is_done_to_the_history_is_found(engine: Engine, harm: str, told: str) -> None:
    for number in (1, 2, 3):
        put(engine, "device", {"name": f"rtr-{number}"}, number)
    with reading(engine) as opened:
        assert list(breaks(opened)) == []
        head = opened.exec(text("SELECT hash FROM change WHERE id = 2")).scalar()  # type: ignore[call-overload]
        assert list(breaks(opened, head)) == []
        assert "nowhere in the history" in next(breaks(opened, "f" * 64))
    with session(engine) as opened:
        opened.execute(text(harm))
    with reading(engine) as opened:
        assert any(told in sentence for sentence in breaks(opened)), list(breaks(opened))


def test_what_was_observed_later_is_not_shown_as_if_it_had_been_known(engine: Engine) -> None:
    put(engine, "device", {"name": "rtr-1"}, 0)
    put(engine, "interface", {"device": "rtr-1", "name": "e0", "alias": "uplink"}, 0)
    with session(engine) as opened:
        at = NOW + timedelta(minutes=5)
        opened.execute(
            Change.metadata.tables["interface"].update().values(seen_alias="x", oper_status="up", seen_at=at)
        )
    then = as_of(engine, NOW + timedelta(minutes=1))
    (row,) = picture(then)["interface"]
    assert (row["alias"], row["seen_alias"], row["oper_status"], row["seen_at"]) == ("uplink", "", "", None)
    then.dispose()


def test_the_inventory_is_seen_as_it_was_after_a_change_set(engine: Engine, author: Author) -> None:
    roles = ("router", "switch", "server")
    for role in roles:  # all at the same moment: a time could not tell them apart
        with session(engine) as opened:
            writer = Writer(opened, author)
            writer.put("device", {"name": "box", "role": role})
            writer.finish()
    for number, role in enumerate(roles, 1):
        with reading(as_of_set(engine, number)) as opened:
            assert [r["role"] for r in rows(opened, "device")] == [role]
    with pytest.raises(NotFoundError):
        as_of_set(engine, 9)


def test_interfaces_follow_a_device_that_is_renamed_in_the_same_set_and_in_the_past(
    engine: Engine, author: Author
) -> None:
    put(engine, "device", {"name": "a"}, 0)
    put(engine, "interface", {"device": "a", "name": "e0"}, 1)
    with session(engine) as opened:
        writer = Writer(opened, Author("budi", NOW + timedelta(minutes=2)))
        assert writer.put("interface", {"device": "a", "name": "e0"}).action == "same"
        writer.set("device", writer.ids("device")["a"], {"name": "b"})
        assert writer.put("interface", {"device": "b", "name": "e0"}).action == "same"
        writer.put("interface", {"device": "b", "name": "e1"})
        writer.finish()
    with reading(as_of(engine, NOW + timedelta(minutes=1, seconds=1))) as opened:
        assert [(r["device"], r["name"]) for r in rows(opened, "interface")] == [("a", "e0")]
    with reading(as_of(engine, NOW + timedelta(seconds=1))) as opened:
        assert rows(opened, "interface") == []
