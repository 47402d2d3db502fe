"""Telegram, by its Bot API: sendMessage with a button to acknowledge, and long polling for who pressed it.

No inbound port is needed. Telegram knows no key of ours: after an answer that was lost a message may come twice.
"""

import html
import json
from collections.abc import Iterator
from typing import Any

from pydantic import Field, SecretStr

from monitor.notify.letter import Button, Later, Letter, Refused, Result, Sent
from monitor.notify.posting import Answer, post, result
from siaga.settings import Frozen
from siaga.text import safe

KIND = "telegram"
ADDRESS = "telegram"
DIGEST = True
SECRET = "token"  # noqa: S105 - the name of the part
_LONGEST = 3800  # of 4096 characters; an escaped one counts more
_ACKNOWLEDGE = {"id": "✅ Terima", "en": "✅ Acknowledge"}


class Options(Frozen):
    """Where the Bot API is; `button`: whether an alert can be acknowledged from the chat."""

    url: str = Field("https://api.telegram.org", pattern="^https?://[^ @]+[^ /@]$")
    button: bool = True


def send(letter: Letter, options: Options) -> Result:
    """Send one message as HTML, in which everything foreign is escaped."""
    body: dict[str, Any] = {
        "chat_id": letter.receiver,
        "text": _html(letter),
        "parse_mode": "HTML",
        "disable_web_page_preview": True,
    }
    if letter.button and options.button:
        key = {"text": _ACKNOWLEDGE[letter.language], "callback_data": letter.button}
        body["reply_markup"] = {"inline_keyboard": [[key]]}
    answer = _call(options, letter.secret, "sendMessage", body, letter.timeout_s)
    if not isinstance(answer, Answer):
        return answer
    if answer.status == 200 and isinstance(answer.body, dict) and answer.body.get("ok"):
        number = (answer.body.get("result") or {}).get("message_id")
        return Sent(f"message {safe(number, 20)}")
    return _failed(answer)


def _failed(answer: Answer) -> Result:
    body = answer.body if isinstance(answer.body, dict) else {}
    said = safe(body.get("description", ""), 120)
    found = result(answer)
    if isinstance(found, Later):
        after = (body.get("parameters") or {}).get("retry_after")
        asked = float(after) if isinstance(after, (int, float)) and 0 <= after < 86_400 else found.after_s
        return Later(f"{found.why} {said}".strip(), asked)
    if isinstance(found, Sent):
        return Later("the answer was not what the Bot API says")
    return Refused(f"HTTP {answer.status} {said}".strip())


def _html(letter: Letter) -> str:
    lines = [f"<b>{html.escape(letter.text.headline)}</b>"]
    left = _LONGEST - len(lines[0])
    for line in letter.text.lines:
        escaped = html.escape(line)
        left -= len(escaped) + 1
        if left < 0:
            lines.append("…")
            break
        lines.append(escaped)
    return "\n".join(lines)


def _call(
    options: Options, token: SecretStr, method: str, body: Any, timeout_s: float
) -> Answer | Later | Refused:
    url = f"{options.url}/bot{token.get_secret_value()}/{method}"
    answer = post(url, json.dumps(body, ensure_ascii=False).encode(), timeout_s=timeout_s)
    if isinstance(answer, (Later, Refused)) and token.get_secret_value() in answer.why:
        return type(answer)("the bot cannot be reached")
    return answer


# --- the button --------------------------------------------------------------------------------------------


def pressed(options: Options, token: SecretStr, after: int, wait_s: int) -> list[Button] | Later | Refused:
    """Return the buttons that were pressed after update `after`; waits for one, at most `wait_s`."""
    body = {"offset": after + 1, "timeout": wait_s, "allowed_updates": ["callback_query"], "limit": 100}
    answer = _call(options, token, "getUpdates", body, wait_s + 10.0)
    if not isinstance(answer, Answer):
        return answer
    if answer.status != 200 or not isinstance(answer.body, dict) or not answer.body.get("ok"):
        failed = _failed(answer)
        return failed if isinstance(failed, (Later, Refused)) else Later("no answer")
    return list(_buttons(answer.body.get("result")))


def _buttons(updates: Any) -> Iterator[Button]:
    for update in updates if isinstance(updates, list) else ():
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            continue
        query = update.get("callback_query")
        query = query if isinstance(query, dict) else {}
        sender = query.get("from")
        sender = sender if isinstance(sender, dict) else {}
        yield Button(
            update["update_id"],
            safe(query.get("data", ""), 64),
            safe(sender.get("id", ""), 32),
            safe(sender.get("username") or "", 64),
            safe(query.get("id", ""), 64),
        )


def answer(options: Options, token: SecretStr, button: Button, text: str, timeout_s: float) -> None:
    """Tell who pressed a button what came of it. That this arrives is not needed."""
    if button.answer_id:
        body = {"callback_query_id": button.answer_id, "text": safe(text, 190)}
        _call(options, token, "answerCallbackQuery", body, timeout_s)
