"""Network devices with a command line that remembers: what a session configures, every later one is shown.

`server.running` serves devices over real SSH on the loopback; a file of dialects/ says how a make behaves, and one
of the shapes (blocks, menus, tables, sets, keys) how its configuration is written and changed.
"""
