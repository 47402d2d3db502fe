"""What a host had in its files is shown, its secrets are not."""

import pytest

from infra.scrub import scrubbed


@pytest.mark.parametrize(
    "line",
    [
        "-rocommunity s3cret 10.0.0.0/8",
        " rwcommunity6 s3cret",
        "-#rocommunity s3cret",
        "-createUser poller SHA-256 s3cret AES s3cret",
        "-usmUser 1 3 0x80001f88 poller poller NULL .1.3.6.1.6.3.10.1.1.5 s3cret",
        "-com2sec readonly default s3cret",
        "-trap2sink 10.0.0.1 s3cret",
        "-db_password = s3cret",
        '+  "token": "s3cret",',
        "+export API_SECRET=s3cret",
    ],
)
def test_a_secret_in_a_difference_is_masked(line: str) -> None:
    assert "s3cret" not in scrubbed(line)
    assert scrubbed(line)[:6] == line[:6]


@pytest.mark.parametrize(
    "line",
    [
        "+PasswordAuthentication no",
        "+PermitEmptyPasswords no",
        "+# Managed by siaga: SNMPv3 with authentication and encryption only; no community.",
        "+rouser poller authpriv",
        "+server 10.77.0.1 iburst",
        "--- before: /etc/snmp/snmpd.conf",
        "+",
    ],
)
def test_what_holds_no_secret_is_shown_as_it_is(line: str) -> None:
    assert scrubbed(line) == line
