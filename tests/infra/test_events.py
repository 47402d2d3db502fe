"""What Ansible says becomes bounded, harmless values; anything else becomes nothing."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infra.events import DIFF_LIMIT, TaskEvent, read_event, shown_line
from infra.host_facts import PLAIN
from infra.results import HostTally, exit_code, judged, tally, unsure


def event(kind: str, res: dict[str, Any] | None = None, **data: Any) -> dict[str, Any]:
    """Return an event as ansible-runner hands it over."""
    stdout = data.pop("stdout", "")
    known = {"host": "srv-1", "task": "Do", "play": "Baseline", "res": res or {}, **data}
    return {"event": kind, "stdout": stdout, "event_data": known}


def read(kind: str, res: dict[str, Any] | None = None, **data: Any) -> TaskEvent:
    """Return an event that must be one of a task."""
    found = read_event(event(kind, res, **data))
    assert found is not None
    return found


def test_each_event_has_its_status() -> None:
    assert read("runner_on_ok").status == "ok"
    assert read("runner_on_ok", {"changed": True}).status == "changed"
    assert read("runner_on_failed", {"msg": "no"}).status == "failed"
    assert read("runner_on_failed", {"msg": "no"}, ignore_errors=True).status == "ignored"
    assert read("runner_on_unreachable", {"msg": "no route"}).status == "unreachable"
    assert read("runner_on_skipped").status == "skipped"
    assert read_event(event("playbook_on_stats")) is None
    assert read_event({}) is None


def test_a_task_with_no_log_tells_only_whether_it_changed_something() -> None:
    censored = {"censored": "the output has been hidden"}
    changed = read("runner_on_ok", censored, stdout="\x1b[0;33mchanged: [srv-1]\x1b[0m")
    assert (changed.status, changed.diff, changed.message) == ("changed", "", "")
    assert read("runner_on_ok", censored, stdout="ok: [srv-1]").status == "ok"


def test_what_check_mode_leaves_out_is_not_checked() -> None:
    for said in (
        '{"msg": "Command would have run if not in check mode", "skipped": true}',
        '{"msg": "remote module (x) does not support check mode", "skipped": true}',
        '{"false_condition": "not ansible_check_mode", "skipped": true}',
    ):
        assert not read("runner_on_skipped", stdout=f"skipping: [srv-1] => {said}").checked
    assert read("runner_on_skipped", stdout='skipping: [srv-1] => {"false_condition": "x"}').checked
    assert read("runner_on_skipped", stdout="skipping: [srv-1] => {broken").checked
    assert read("runner_on_ok", {"msg": "this does not support check mode"}).checked


def test_a_difference_names_the_file_on_the_host_and_keeps_its_indentation() -> None:
    difference = {
        "before": "a\n  b\n",
        "after": "a\n    c\n",
        "before_header": "/etc/x",
        "after_header": "/tmp/y",
    }
    found = read("runner_on_ok", {"changed": True, "diff": [difference]})
    assert found.diff.splitlines() == ["--- /etc/x", "+++ /etc/x", "@@ -1,2 +1,2 @@", " a", "-  b", "+    c"]


def test_a_difference_is_bounded_and_cannot_move_the_cursor() -> None:
    difference = {"before": "", "after": "\x1b[2Jevil\u202e\n" * 5_000}
    found = read("runner_on_ok", {"diff": [difference]}).diff
    assert len(found) <= DIFF_LIMIT + 100
    assert found.endswith("… the rest of the difference is not kept")
    assert "\x1b" not in found
    assert "\u202e" not in found
    huge = {"before": "", "after": "x\n" * 10_000_000}
    assert read("runner_on_ok", {"diff": huge}).diff.endswith("too large to compare")


def test_a_line_that_looks_like_a_header_of_the_difference_is_made_safe_too() -> None:
    difference = {"before": "--\x1b[2J /x\n", "after": "++\x1b[2J /x\n@@\x1b\n"}
    assert "\x1b" not in read("runner_on_ok", {"diff": difference}).diff


def test_a_new_file_is_not_called_by_a_temporary_name() -> None:
    header = "/dev/shm/siaga-job-x/scratch/ansible-local-1abc/tmpdef/10-siaga.conf.j2"
    found = read("runner_on_ok", {"diff": [{"before": "", "after": "a\n", "after_header": header}]})
    assert found.diff.splitlines()[:2] == ["--- 10-siaga.conf", "+++ 10-siaga.conf"]


def test_only_the_facts_that_are_kept_are_read_and_only_as_text() -> None:
    facts = {
        "ansible_distribution": "Debian\n\x1b[31m12",
        "ansible_memtotal_mb": 2048,
        "ansible_product_serial": "NA",
        "ansible_default_ipv4": {"address": "192.0.2.7", "gateway": "x"},
        "ansible_kernel": ["6.1"],
        "ansible_env": {"SECRET": "x"},
    }
    found = read("runner_on_ok", {"ansible_facts": facts}).facts
    assert found == {"os": "Debian [31m12", "memory_mb": "2048", "default_address": "192.0.2.7"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda v: st.lists(v, max_size=4) | st.dictionaries(st.text(max_size=12), v, max_size=4),
    max_leaves=12,
)
_KEYS = (
    "changed",
    "diff",
    "msg",
    "results",
    "censored",
    "ansible_facts",
    "false_condition",
    "stderr",
    "dest",
)


@given(
    st.sampled_from(["runner_on_ok", "runner_on_failed", "runner_on_skipped", "runner_item_on_skipped", "x"]),
    st.dictionaries(
        st.sampled_from(
            [*_KEYS, *PLAIN.values(), "ansible_devices", "ansible_interfaces", "ansible_processor"]
        ),
        json_values,
        max_size=6,
    )
    | json_values,
    json_values,
)
def test_no_event_breaks_the_reader_and_nothing_hostile_comes_through(
    kind: str, res: Any, stdout: Any
) -> None:
    data = {"event": kind, "stdout": stdout, "event_data": {"host": "h", "task": stdout, "res": res}}
    found = read_event(data)
    if found is not None:
        shown = [found.task, found.message, *found.diff.splitlines(), *found.facts.values()]
        assert all(c.isprintable() for text in shown for c in text if c != " ")


@given(st.text())
def test_a_shown_line_is_one_printable_line(text: str) -> None:
    line = shown_line(text.replace("\n", ""))
    assert all(c == " " or c.isprintable() for c in line)


def test_hosts_are_counted_and_the_job_is_judged_by_them() -> None:
    events = [
        TaskEvent("a", "one", "ok"),
        TaskEvent("a", "two", "changed"),
        TaskEvent("b", "one", "failed", message="no space"),
        TaskEvent("c", "one", "unreachable", message="no route"),
        TaskEvent("stranger", "one", "ok"),
    ]
    found = tally(["a", "b", "c", "d"], events)
    assert found == [
        HostTally("a", "changed", ok=1, changed=1),
        HostTally("b", "failed", failed=1, reason="one: no space"),
        HostTally("c", "unreachable", unreachable=1, reason="no route"),
        HostTally("d", "not run"),
    ]
    assert judged(found) == "partial"
    assert judged(found[:1]) == "ok"
    assert judged(found[1:]) == "failed"
    assert [exit_code(s) for s in ("ok", "partial", "failed", "interrupted")] == [0, 7, 1, 130]
    assert tally(["a"], events[:1], cut_off=True)[0].status == "interrupted"


def test_a_host_that_nothing_was_heard_of_when_its_batch_was_cut_off_is_not_called_untouched() -> None:
    done = tally(["a", "b"], [TaskEvent("a", "one", "ok")], cut_off=True)
    heard, silent = unsure(done)
    assert heard == done[0]
    assert (silent.status, silent.reason) == ("interrupted", "cut off; its first task may have begun there")
