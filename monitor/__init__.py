"""The first floor, left: reads devices. It never changes one."""
