import pytest

from napari_medlabel.cli.text import note, sentence, table

ODD = "[bold]:warning: [/x] 12"


def test_answers_show_markup_and_emoji_names_as_they_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sentence(ODD)
    note(ODD)
    table(("Name",), ((ODD,),))
    captured = capsys.readouterr()
    assert captured.out.count(ODD) == 2
    assert ODD in captured.err
