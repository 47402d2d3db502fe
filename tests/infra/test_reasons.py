"""What Ansible, OpenSSH, paramiko and sudo say becomes one sentence that says what to do."""

import pytest

from infra.reasons import explained, meaning

SAID = {
    "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@ Host key verification failed.": "siaga trust srv-1",
    "No ED25519 host key is known for x. Host key verification failed.": "new ones are not accepted",
    "The host key of 127.0.0.1:22 has changed (it was a, it is now b)": "has changed, so nothing was sent",
    "The host key of 127.0.0.1:2, SHA256:x, is not known and new keys are not accepted": "new ones are not accepted",
    "siaga@127.0.0.1: Permission denied (publickey,password).": "refused the login",
    "Invalid/incorrect password: siaga@127.0.0.1: Permission denied (password).": "refused the login",
    "Failed to authenticate: Authentication failed.": "refused the login",
    "/bin/sh: 1: sudo: not found": "sudo is missing",
    "Missing sudo password": "may not become root",
    "siaga is not in the sudoers file.": "may not become root",
    "OSError: [Errno 28] No space left on device: '/etc/x'": "disk is full",
    "ssh: connect to host 127.0.0.1 port 1: Connection refused": "nothing answers at its SSH port",
    "ssh: connect to host 192.0.2.1 port 22: Connection timed out": "does not answer",
    "Connection timed out during banner exchange": "does not answer",
    "Timed out after 3 second(s).": "did not come to an end in time",
    "Timeout (12s) waiting for privilege escalation prompt: ": "sudo there did not answer",
    "Shared connection to 127.0.0.1 closed.": "connection was cut",
    "mux_client_request_session: read from master failed: Broken pipe": "connection was cut",
}


@pytest.mark.parametrize("message", SAID)
def test_a_known_message_is_explained_and_kept(message: str) -> None:
    assert SAID[message] in meaning("srv-1", message)
    assert explained("srv-1", message).endswith(f"({message})")


def test_another_message_speaks_for_itself() -> None:
    assert explained("srv-1", "chrony.conf is missing") == "chrony.conf is missing"
