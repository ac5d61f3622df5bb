"""What holds for every test: no network, nothing of the person's own, windows where they can be."""

pytest_plugins = [
    "tests.plugins.engines",
    "tests.plugins.no_network",
    "tests.plugins.own_home",
    "tests.plugins.windows",
]
