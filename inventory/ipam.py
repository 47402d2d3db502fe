"""IPAM."""

from inventory.ipam_overlap import overlaps as overlaps
