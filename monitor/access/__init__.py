"""Who touched it: windows in which third parties may log in, and logins that came outside of any."""
