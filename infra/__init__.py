"""The first floor, right: changes devices, by Ansible, from a plan somebody has seen."""
