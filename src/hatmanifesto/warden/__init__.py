"""Warden: the policy of the gate, without I/O."""
