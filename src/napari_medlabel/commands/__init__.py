"""Everything a person can do: one short function each, with the permission it needs."""
