"""Models that a person brought: looked at, checked, kept with licence and hash. Offline."""
