"""Nothing that a person can do goes round its permission and its record."""

import inspect

from napari_medlabel import commands
from napari_medlabel.session import Permission


def test_every_command_names_the_permission_it_needs() -> None:
    functions = {
        name: getattr(commands, name)
        for name in commands.__all__
        if inspect.isfunction(getattr(commands, name))
    }
    open_doors = [
        name
        for name, function in functions.items()
        if not isinstance(getattr(function, "permission", None), Permission)
    ]
    assert len(functions) > 10
    assert open_doors == []
