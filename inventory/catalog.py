"""What is shown of each noun: names only, so that a plain list need not load the tables' libraries."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Spec:
    """A noun (its table has the same name): the columns of a list, the natural key, shorthands for selectors."""

    name: str
    shown: tuple[str, ...]
    key: tuple[str, ...] = ("name",)
    wide: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    table: str = ""


_WAN = ("committed_down_bps", "committed_up_bps")
# In the order in which an import must make them: a noun stands after those it refers to.
SPECS: tuple[Spec, ...] = (
    Spec("place", ("name", "kind", "code", "parent"), wide=("latitude", "longitude", "notes")),
    Spec(
        "agency",
        ("name", "title", "kind", "place"),
        wide=("notes",),
        paths={"kecamatan": "place.kecamatan"},
    ),
    Spec("provider", ("name", "title", "contact"), wide=("notes",)),
    Spec(
        "contract",
        ("name", "provider", "kind", "start", "end", *_WAN, "availability_pct"),
        wide=("price_idr", "claim_after_s", "notes"),
    ),
    Spec("device_type", ("name", "maker", "model", "eos", "eol"), wide=("notes",)),
    Spec("credential", ("name", "kind", "username", "auth_protocol", "priv_protocol")),
    Spec(
        "device",
        ("name", "role", "status", "place", "agency", "platform", "address", "transport"),
        wide=("device_type", "serial", "credential", "ssh_credential", "parent", "tags", "notes"),
        paths={
            "kecamatan": "place.kecamatan",
            "maker": "device_type.maker",
            "model": "device_type.model",
            "site": "place",
        },
    ),
    Spec(
        "interface",
        ("device", "name", "alias", "oper_status", "speed_bps", "seen_speed_bps", "mac"),
        key=("device", "name"),
        wide=("if_index", "seen_alias", "admin_status", "seen_at", "notes"),
        paths={"kecamatan": "device.place.kecamatan", "role": "device.role"},
    ),
    Spec(
        "link",
        ("name", "kind", "a_interface", "z_interface", "contract", "role", "state"),
        wide=("intra", "path_group", "notes"),
    ),
    Spec(
        "connection",
        ("name", "agency", "place", "contract", "interface", *_WAN),
        wide=("device", "link", "notes"),
        paths={"kecamatan": "place.kecamatan"},
    ),
    Spec("service", ("name", "title", "agency", "device", "url"), wide=("criticality", "notes")),
    Spec("group", ("name", "noun", "selector"), wide=("notes",), table="saved_group"),
)
