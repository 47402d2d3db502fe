"""INF-KEA-05: administrators' accounts that are personal, with a second factor; a provider's end with its contract."""

from report import three
from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import Account
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of accounts that may administer."""
    some = [a for a in ask.every(Account) or () if a.scope == "admin"]
    if not some:
        return unknown(PERCENT, said("no-accounts"))
    members = {a.name: controlled(a) for a in some}
    return share(members, as_of=ask.period.last_day, evidence=("rows/account", "rows/contract"))


def controlled(account: Account) -> bool | None:
    """Say whether an account is somebody's, has a second factor, and (a provider's) ends and comes by the jump host."""
    if not account.person or not account.mfa:
        return False
    if not account.provider:
        return True
    ends = account.expires is not None and account.contract_end is not None
    in_time = ends and (account.expires or account.contract_end) <= account.contract_end  # type: ignore[operator]
    return three.every((bool(in_time), account.via_jump_host))
