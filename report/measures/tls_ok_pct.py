"""INF-APL-04: web applications with a trusted certificate that does not end soon, over TLS 1.2 or 1.3."""

from report import three
from report.assessment import Reading
from report.questions import Questions
from report.readings import PERCENT, said, share, unknown
from report.records import App
from report.rubric import Limits


def measure(ask: Questions, limits: Limits) -> Reading:
    """Return the share of applications with a web address; plain HTTP has no certificate at all."""
    apps = [a for a in ask.every(App) or () if a.url.startswith(("http://", "https://", "tls://"))]
    if not apps:
        return unknown(PERCENT, said("no-apps"))
    members = {a.name: _sound(a, limits.tls_days) for a in apps}
    return share(members, as_of=ask.period.last_day, evidence=("rows/service", "rows/app"))


def _sound(app: App, least_days: float) -> bool | None:
    if app.url.startswith("http://"):
        return False
    lasting = None if app.certificate_days is None else app.certificate_days >= least_days
    return three.every((lasting, app.tls_ok))
