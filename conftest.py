"""What holds for every test: no network, and windows where there is a screen for them."""

pytest_plugins = ["tests.plugins.no_network", "tests.plugins.windows"]
