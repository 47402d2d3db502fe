"""E-mail by SMTP (RFC 5321), with STARTTLS or TLS. What comes twice has the same Message-ID."""

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import Field

from monitor.notify.letter import Later, Letter, Refused, Result, Sent
from siaga.settings import Frozen
from siaga.text import safe

KIND = "email"
ADDRESS = "email"
DIGEST = True
SECRET = "password"  # noqa: S105 - the name of the part
_ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}$"


class Options(Frozen):
    """The mail server. Without a credential nobody logs in; a password is only ever sent under TLS."""

    server: str = Field(pattern="^[^ /]{1,253}$")
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    sender: str = Field(pattern=_ADDRESS)
    ca_file: Path | None = None


def send(letter: Letter, options: Options) -> Result:
    """Send one mail to one receiver."""
    import re

    if not re.fullmatch(_ADDRESS, letter.receiver):
        return Refused(f"'{safe(letter.receiver, 60)}' is no address")
    if letter.secret.get_secret_value() and options.tls == "none":
        return Refused("a password is not sent without TLS: set tls = 'starttls' or 'tls'")
    try:
        trust = ssl.create_default_context(cafile=options.ca_file)
        with _connected(letter, options, trust) as server:
            if options.tls == "starttls":
                server.starttls(context=trust)
            if letter.secret.get_secret_value():
                server.login(letter.username, letter.secret.get_secret_value())
            server.send_message(mail(letter, options.sender))
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()), (550, b""))
        return _answered(code, said)
    except smtplib.SMTPResponseException as error:
        return _answered(error.smtp_code, error.smtp_error)
    except smtplib.SMTPNotSupportedError as error:
        return Refused(safe(error, 200))
    except (smtplib.SMTPException, OSError) as error:
        return Later(f"{options.server}:{options.port}: {type(error).__name__} {safe(error, 200)}".strip())
    return Sent(_message_id(letter, options.sender))


def _connected(letter: Letter, options: Options, trust: ssl.SSLContext) -> smtplib.SMTP:
    if options.tls == "tls":
        return smtplib.SMTP_SSL(options.server, options.port, timeout=letter.timeout_s, context=trust)
    return smtplib.SMTP(options.server, options.port, timeout=letter.timeout_s)


def _answered(code: int, said: bytes | str) -> Result:
    """Return what an answer means: 4yz later, 5yz never (RFC 5321, 4.2.1)."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    why = f"the server said {code} {safe(text, 120)}"
    return Later(why) if 400 <= code < 500 or code < 0 else Refused(why)


def mail(letter: Letter, sender: str) -> EmailMessage:
    """Return the mail. A header holds one line, whatever a device called itself."""
    found = EmailMessage(policy=SMTP)
    found["Subject"] = safe(letter.text.headline, 180)
    found["From"] = sender
    found["To"] = letter.receiver
    found["Date"] = format_datetime(letter.now)
    found["Message-ID"] = _message_id(letter, sender)
    found["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer by a machine
    found.set_content("\n".join([letter.text.headline, "", *letter.text.lines]) + "\n")
    for name, kind, data in letter.attachments:
        major, _, minor = kind.partition("/")
        found.add_attachment(data, maintype=major, subtype=minor, filename=safe(name, 120))
    return found


def _message_id(letter: Letter, sender: str) -> str:
    known = sha256(f"{letter.key}\0{letter.receiver}".encode()).hexdigest()[:32]
    return f"<siaga.{known}@{sender.rpartition('@')[2]}>"
