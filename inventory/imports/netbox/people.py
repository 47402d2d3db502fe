"""Contacts become people and their parts in things; journal entries become notes."""

from collections.abc import Mapping
from typing import Any

from inventory.imports.netbox.world import ENDPOINT, NOUN_OF, Reader, World, choice, label, original

_KINDS = {"info": "info", "success": "info", "warning": "warning", "danger": "incident"}


def contacts(world: World, read: Reader) -> None:
    """tenancy/contacts and tenancy/contact-assignments."""
    endpoint = "tenancy/contacts"
    for record in read(endpoint):
        name = world.of("person").give(
            (endpoint, record["id"]), record.get("name"), record.get("email") or ""
        )
        groups = [label(g) for g in record.get("groups") or ()] or label(record.get("group"))
        said = {
            "name": original(record, name),
            "groups": groups,
            "address": record.get("address"),
            "link": record.get("link"),
        }
        row = {
            "name": name,
            "title": record.get("title"),
            "phone": record.get("phone"),
            "email": record.get("email"),
            **world.rest(endpoint, record, "person", ("name", "title", "phone", "email", "group"), **said),
        }
        world.add("contacts", endpoint, "person", record, row)
    _assignments(world, read)


def _assignments(world: World, read: Reader) -> None:
    endpoint = "tenancy/contact-assignments"
    seen: set[tuple[str, ...]] = set()
    for record in read(endpoint):
        model = str(record.get("object_type") or record.get("content_type") or "")
        noun, target = target_of(world, model, record.get("object"))
        person = world.named("tenancy/contacts", record.get("contact"))
        if not target or not person:
            world.lost[f"{endpoint}: those to {model or 'nothing'}"] += 1
            continue
        role = choice(label(record.get("role"))) or "technical"  # a slug; the CSV has only names
        if (person, role, noun, target) not in seen:
            seen.add((person, role, noun, target))
            row = {"person": person, "role": role, "target_noun": noun, "target": target}
            said = {"priority": choice(record.get("priority")) or None}
            used = ("object_type", "content_type", "object_id", "object", "contact", "role")
            row |= world.rest(endpoint, record, "contact", used, **said)
            world.add("contacts", endpoint, "contact", record, row)


def journal(world: World, read: Reader) -> None:
    """extras/journal-entries; those on what has no home here are counted."""
    endpoint = "extras/journal-entries"
    for record in read(endpoint):
        model = str(record.get("assigned_object_type") or "")
        noun, target = target_of(world, model, record.get("assigned_object"))
        if not target or not record.get("comments"):
            world.lost[f"{endpoint}: those on {model or 'nothing'}"] += 1
            continue
        row = {
            "target_noun": noun,
            "target": target,
            "at": record.get("created"),
            "kind": _KINDS.get(choice(record.get("kind")), "info"),
            "who": _who(record.get("created_by")),
            "text": str(record["comments"])[:4000].replace("\r", ""),
        }
        world.add("journal", endpoint, "note", record, row)


def target_of(world: World, model: str, nested: Any) -> tuple[str, str]:
    """Return (noun, name) of what a generic relation refers to; a name only if the row is one of this import."""
    noun, endpoint = NOUN_OF.get(model, ""), ENDPOINT.get(model, "")
    if not noun or not isinstance(nested, Mapping):
        return "", ""
    return noun, world.of(noun).get((endpoint, nested.get("id")))


def _who(user: Any) -> str:
    return str(user.get("username") or user.get("display") or "") if isinstance(user, Mapping) else ""
