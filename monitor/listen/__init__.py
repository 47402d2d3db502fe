"""What devices send by themselves: SNMP traps and informs, and syslog. It makes events and wishes, never states."""
