"""Reads a NetBox over its REST API. Written after the schema of 4.6; older ones back to 3.3 answer the same way."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from inventory.imports.fetching import Api, Patience, pages
from inventory.imports.netbox.steps import taken, words
from inventory.imports.netbox.world import REGION_KINDS, Record, World
from inventory.imports.sheets import Taken
from inventory.models import Place
from siaga.errors import InvalidError, NotFoundError, UsageError
from siaga.text import safe

PAGE = 500
# Interfaces and addresses are many: only these fields are asked for (`fields`, since 4.0; older ones give all).
_FIELDS: Mapping[str, str] = {
    "dcim/interfaces": "id,device,name,label,type,enabled,parent,bridge,lag,mtu,mac_address,mac_addresses,speed,duplex,"
    "wwn,mgmt_only,description,mode,untagged_vlan,tagged_vlans,vrf,tags,custom_fields",
    "virtualization/interfaces": "id,virtual_machine,name,enabled,parent,bridge,mtu,mac_address,mac_addresses,"
    "description,mode,untagged_vlan,tagged_vlans,vrf,tags,custom_fields",
}
_NEWER = frozenset({"wireless/wireless-links", "circuits/provider-accounts"})


def authorization(token: SecretStr | None) -> dict[str, SecretStr]:
    """Return the header that logs in: Bearer for tokens of version 2 (4.5 and later, `nbt_…`), else Token."""
    if token is None:
        return {}
    scheme = "Bearer" if token.get_secret_value().startswith("nbt_") else "Token"
    return {"Authorization": SecretStr(f"{scheme} {token.get_secret_value()}")}


def region_kinds(text: str) -> tuple[str, ...]:
    """Read --region-kinds: the kind of place for each level of regions; raises UsageError (`unknown-kind`)."""
    said = tuple(w.strip() for w in text.split(",") if w.strip()) or REGION_KINDS
    unknown = [w for w in said if w != "-" and w not in Place.CHOICES["kind"]]
    if unknown:
        offered = ", ".join(("-", *Place.CHOICES["kind"]))
        raise UsageError("unknown-kind", f"--region-kinds knows no {', '.join(unknown)}; it knows {offered}.")
    return said


def netbox(
    url: str,
    token: SecretStr | None,
    *,
    only: str = "",
    regions: str = "",
    ca_file: str = "",
    patience: Patience = Patience(),
) -> Taken:
    """Read what a NetBox holds; raises what fetching.Api raises, and UsageError for what cannot be meant."""
    world = World("NetBox", words(only), region_kinds(regions))
    api = Api(url.removesuffix("/").removesuffix("/api"), "NetBox", authorization(token), ca_file, patience)
    with api:
        version = api.get("api/status/", missing=True)
        result = taken(
            world, lambda endpoint: _records(api, endpoint), lambda endpoint: _count(api, endpoint)
        )
    said = (
        [f"NetBox {safe(version['netbox-version'], 40)}: {api.requests} requests."] if _told(version) else []
    )
    if api.plain_text:
        said.append("The token travelled unencrypted, over http.")
    return Taken(result.sheets, [*said, *result.left])


def _told(version: Any) -> bool:
    return isinstance(version, Mapping) and "netbox-version" in version


def _records(api: Api, endpoint: str) -> Iterator[Record]:
    params = {"ordering": "id", "exclude": "config_context"}
    if endpoint in _FIELDS:
        params["fields"] = _FIELDS[endpoint]
    try:
        for record in pages(api, f"api/{endpoint}/", params, limit=PAGE):
            if not isinstance(record.get("id"), int):
                raise InvalidError("api-answer", f"NetBox gave a record of {endpoint} without an id.")
            yield record
    except NotFoundError:
        if endpoint not in _NEWER:
            raise


def _count(api: Api, endpoint: str) -> int:
    """Return how many records a list has; 0 where this NetBox has no such list or does not show it."""
    page = api.get(f"api/{endpoint}/", {"limit": 1}, missing=True)
    count = page.get("count") if isinstance(page, Mapping) else None
    return count if isinstance(count, int) else 0
