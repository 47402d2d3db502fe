"""What Ansible's messages mean to an operator: one sentence that says what to do, before the message itself. Pure."""

import re

# In this order: a changed key also says "Host key verification failed", and a refusal may follow a time-out.
_MEANINGS = (
    (
        r"IDENTIFICATION HAS CHANGED|host key .*(?:does not match|has changed)|BadHostKey|key is not the same",
        "its SSH host key has changed, so nothing was sent; if that is right: siaga trust {host}",
    ),
    (
        r"Host Key checking is enabled",
        "its SSH host key is not the one that is known, so no password was sent; if it is right: siaga trust {host}",
    ),
    (
        (
            r"Host key verification failed|is not in .*known_hosts|rejected .*host key|host key is not cached|"
            r"authenticity of host|host key .* is not known"
        ),
        "its SSH host key is not known, and new ones are not accepted; if it is right: siaga trust {host}",
    ),
    (
        r"(?:sudo|su|doas): (?:command )?not found|(?:sudo|su|doas): No such file|exec: (?:sudo|su|doas): not found",
        "sudo is missing there: install it, or log in as root",
    ),
    (
        (
            r"Missing sudo password|[Ii]ncorrect sudo password|a password is required|not in the sudoers|"
            r"may not run sudo|no valid sudoers"
        ),
        "its user may not become root: see to sudo there, or to the password of its ssh_credential",
    ),
    (
        (
            r"Permission denied \(|[Ii]nvalid/incorrect (?:username/)?password|Authentication (?:failed|failure)|"
            r"Failed to authenticate|Bad authentication"
        ),
        "it refused the login: user, password or key of its ssh_credential",
    ),
    (r"No space left on device|Errno 28|Disk quota exceeded", "its disk is full: make room there"),
    (r"Timed out after \d+ second|[Tt]ask timed out", "it did not come to an end in time"),
    (r"waiting for privilege escalation prompt|Timeout .*escalation", "sudo there did not answer in time"),
    (r"Connection refused", "nothing answers at its SSH port"),
    (
        r"timed out|[Tt]imeout|No route to host|Network is unreachable|Host is down|banner",
        "it does not answer",
    ),
    (
        (
            r"[Cc]onnection (?:reset|closed|to .* closed)|Broken pipe|closed by (?:remote|UNKNOWN)|EOF|"
            r"Shared connection|kex_exchange|client_loop|mux_client|Data could not be sent"
        ),
        "the connection was cut",
    ),
    (r"/usr/bin/python\S*: not found|No python interpreters|python.* not found", "it has no Python"),
)
_READ = tuple((re.compile(pattern), said) for pattern, said in _MEANINGS)


def meaning(host: str, message: str) -> str:
    """Return what a message means, or '' where it says so itself."""
    return next((said.replace("{host}", host) for found, said in _READ if found.search(message)), "")


def explained(host: str, message: str) -> str:
    """Return a message with its meaning before it."""
    said = meaning(host, message)
    return f"{said} ({message})" if said else message
