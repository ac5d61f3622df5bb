"""Models come from a stick whole, checked and with their licence, or not at all."""

import hashlib
import json
import os
import pickle
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from napari_medlabel.engines.adapters.engine import check_model
from napari_medlabel.engines.models.store import (
    Damaged,
    add_model,
    installed_model,
    installed_models,
    models_folder,
    problems_of,
    remove_model,
)
from napari_medlabel.engines.registry import chosen_engine, engines
from napari_medlabel.errors import (
    Cancelled,
    InputError,
    IntegrityError,
    MedlabelError,
    OutputError,
    Refused,
)

torch = pytest.importorskip("torch", reason="the extra 'ai' is not installed")
pytest.importorskip("monai", reason="the extra 'ai' is not installed")

from tests.engines import made_models as made  # noqa: E402  # needs torch

MODELS = "MEDLABEL_MODELS"


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place of their own; whatever happens, nothing half-made stays there."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small networks: more threads only wait for each other
    folder = tmp_path / "models"
    monkeypatch.setenv(MODELS, str(folder))
    yield folder
    torch.set_num_threads(threads)
    left = {path.name for path in folder.iterdir()} if folder.exists() else set()
    assert {name for name in left if name.startswith(".")} <= {".lock"}


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    return tmp_path / "stick"


def refused(path: Path, kind: type[MedlabelError], words: str, **how: object) -> MedlabelError:
    """Adding it fails with these words and a hint, and nothing is installed."""
    with pytest.raises(kind, match=words) as caught:
        add_model(path, check_model, **how)
    assert caught.value.hint
    assert installed_models() == ()
    return caught.value


def test_a_folder_becomes_an_engine_with_licence_and_hash(stick: Path) -> None:
    record = add_model(made.automatic(stick / "Two Organs (v1)"), check_model)
    weights = (stick / "Two Organs (v1)" / "model.pt").read_bytes()
    assert record.name == "two-organs-v1"
    assert record.sha256 == hashlib.sha256(weights).hexdigest()
    assert record.license == "An Example Licence 2.0"
    assert (record.folder / "LICENSE").read_text() == made.LICENSE
    assert installed_models() == (record,)
    assert installed_model("two-organs-v1") == record
    assert problems_of(record) == ()
    listed = {one.name: one for one in engines()}
    assert listed["two-organs-v1"].why_not == ""
    assert listed["two-organs-v1"].finds == ("liver", "spleen")
    assert chosen_engine("two-organs-v1").title == "Two organs"


def test_a_zip_archive_is_as_good_as_a_folder(stick: Path) -> None:
    archive = made.zipped(made.deepedit_bundle(stick / "spleen"))
    record = add_model(archive, check_model, name="spleen-clicks")
    assert record.spec.kind == "deepedit"
    assert record.spec.clicks == ("spleen", "background")
    assert (record.spec.title, record.spec.version) == ("Spleen by clicks", "0.5.0")
    assert {file.name for file in record.files} == {
        "configs/metadata.json", "configs/inference.json", "models/model.pt", "LICENSE",
    }  # fmt: skip


def test_a_vista3d_bundle_is_read_as_data_and_its_weights_licence_is_kept(stick: Path) -> None:
    bundle = made.vista3d_bundle(stick / "vista3d", made.vista3d_weights())
    record = add_model(bundle, check_model)
    assert (record.name, record.spec.kind) == ("vista3d", "vista3d")
    assert record.license_file == "LICENSE.weights"
    assert record.spec.spacing_mm == (1.5, 1.5, 1.5)
    assert record.spec.intensity.low == pytest.approx(-963.8247715525971)
    assert record.spec.overlap == 0.3
    finds = {one.name: one.finds for one in engines()}["vista3d"]
    assert finds == ("liver", "kidney", "right kidney", "left kidney", "lung tumor")


def test_a_bundle_of_a_plain_network_is_built_from_its_plain_arguments(stick: Path) -> None:
    network = {"_target_": "UNet", "spatial_dims": 3, **made.UNET, "out_channels": "@classes"}
    del network["name"]
    config = {
        "classes": 3,
        "network_def": network,
        "preprocessing": {"_target_": "Compose", "transforms": [
            {"_target_": "Orientationd", "axcodes": "LPS"},
            {"_target_": "Spacingd", "pixdim": [1.5, 1.5, 2.0]},
            {"_target_": "NormalizeIntensityd", "nonzero": True},
        ]},
        "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 16], "overlap": 0.5},
        "postprocessing": {"transforms": [{"_target_": "Activationsd", "softmax": True}]},
    }  # fmt: skip
    about = {"name": "Two", "network_data_format": {"outputs": {"pred": {"channel_def": {
        "0": "background", "1": "liver", "2": "spleen"}}}}}  # fmt: skip
    made.written(stick / "two", {"configs/metadata.json": about, "configs/inference.json": config,
                                 "models/model.pt": made.unet_weights()})  # fmt: skip
    spec = add_model(stick / "two", check_model).spec
    assert spec.names == ("liver", "spleen")
    assert (spec.orientation, spec.spacing_mm) == ("LPS", (1.5, 1.5, 2.0))
    assert spec.intensity.nonzero


def test_weights_wrapped_for_training_are_unwrapped(stick: Path) -> None:
    wrapped = {f"module.{name}": value for name, value in made.unet_weights().items()}
    made.automatic(stick / "two")
    torch.save({"epoch": 3, "model": wrapped}, stick / "two" / "model.pt")
    assert add_model(stick / "two", check_model).name == "two"


def test_a_licence_and_a_hash_can_be_given_by_hand(stick: Path, tmp_path: Path) -> None:
    folder = made.automatic(stick / "two")
    (tmp_path / "terms.txt").write_text("\n  Terms of our\thospital  \n\nNo sharing.\n")
    sha256 = hashlib.sha256((folder / "model.pt").read_bytes()).hexdigest()
    record = add_model(
        folder, check_model, license_file=tmp_path / "terms.txt", sha256=sha256.upper()
    )
    assert record.license == "Terms of our hospital"
    assert problems_of(record) == ()


def test_a_wrong_hash_is_refused(stick: Path) -> None:
    folder = made.automatic(stick / "two")
    refused(folder, IntegrityError, "not the file that was meant", sha256="0" * 64)
    made.automatic(folder, sha256="1" * 64)
    refused(folder, IntegrityError, "not the file that was meant")


def test_a_pickle_that_wants_to_run_code_is_not_loaded(stick: Path, tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    evil = made.villainous(proof)
    with zipfile.ZipFile(made.written(tmp_path / "x", {"w.pt": evil}) / "w.pt") as archive:
        pickle.loads(archive.read("archive/data.pkl"))  # noqa: S301  # it is what it says
    assert proof.exists()
    proof.unlink()
    folder = made.automatic(stick / "two")
    (folder / "model.pt").write_bytes(evil)
    refused(folder, InputError, "wants to run code")
    (folder / "model.pt").write_bytes(pickle.dumps(made.Villain(proof)))
    refused(folder, InputError, "wants to run code|no file that torch wrote")
    assert not proof.exists()


def test_a_program_is_refused_unless_it_is_trusted_and_then_by_its_hash(stick: Path) -> None:
    program = made.torchscript(made.Bright())
    folder = made.written(stick / "two", {
        "medlabel-model.json": made.declared(weights="model.ts", labels={"1": "bright"}),
        "model.ts": program,
    })  # fmt: skip
    refused(folder, Refused, "is a program")
    record = add_model(folder, check_model, trust=True)
    assert record.trusted
    record.weights.write_bytes(program[:-1] + b"x")
    with pytest.raises(IntegrityError, match="not the file that was installed"):
        check_model(record)


def test_a_program_in_the_clothes_of_weights_is_not_run(stick: Path) -> None:
    folder = made.automatic(stick / "two")
    (folder / "model.pt").write_bytes(made.torchscript(made.Bright()))
    refused(folder, InputError, "no file that torch wrote|wants to run code")


def bad_weights(case: str) -> dict[str, object]:
    weights = made.unet_weights()
    first = next(iter(weights))
    if case == "missing":
        del weights[first]
    elif case == "shape":
        weights[first] = weights[first][:, :, :1]
    elif case == "nan":
        weights[first] = weights[first] * float("nan")
    elif case == "other":
        weights = {"some.other.weight": torch.zeros(3)}
    elif case == "none":
        weights = {"epoch": 7}
    return weights


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("missing", "1 missing"), ("shape", "has the shape"), ("nan", "no numbers"),
        ("other", "of another network"), ("none", "holds no weights"),
    ],
)  # fmt: skip
def test_weights_that_do_not_fit_are_refused(stick: Path, case: str, words: str) -> None:
    folder = made.automatic(stick / "two")
    torch.save(bad_weights(case), folder / "model.pt")
    refused(folder, InputError, words)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"hello" * 100])
def test_a_file_that_is_no_weights_is_refused(stick: Path, content: bytes) -> None:
    folder = made.automatic(stick / "two")
    (folder / "model.pt").write_bytes(content)
    refused(folder, InputError, "no file that torch wrote")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "magic"}, "'kind' has to be one of"),
        ({"labels": {}}, "'labels' has to be"),
        ({"labels": {"one": "liver"}}, "'labels' has to be"),
        ({"patch": [16, 16]}, "'patch' has to be"),
        ({"patch": [4096, 4096, 4096]}, "'patch' has to be"),
        ({"spacing_mm": [0, 1, 1]}, "'spacing_mm' has to be"),
        ({"orientation": "RAR"}, "'orientation' has to be"),
        ({"intensity": {"scale": "range", "low": 5, "high": 5}}, "'high' has to be above"),
        ({"overlap": True}, "'overlap' has to be"),
        ({"command": "rm"}, "unknown fields: command"),
        ({"format": 2}, "format 2"),
        ({"weights": "other.pt"}, "weights, other.pt, are missing"),
        ({"weights": "../model.pt"}, "are missing"),
        ({"license": "gone.txt"}, "licence, gone.txt, is missing"),
        ({"network": {"name": "os.system"}}, "is not known"),
        ({"network": made.UNET | {"module": "os"}}, "has no argument 'module'"),
        ({"network": made.UNET | {"strides": [2, 2, 2]}}, "no UNet can be built"),
        ({"network": made.UNET | {"channels": [10**9, 10**9]}}, "no UNet can be built"),
        ({"network": made.UNET | {"channels": [40_000, 80_000]}}, "has the shape"),
        ({"network": made.UNET | {"in_channels": 2}}, "has the shape"),
        ({"labels": {"7": "liver"}}, "the model gives 3 x 16 x 16 x 16 values"),
        ({"patch": [15, 15, 15]}, "does not take an image|the model gives"),
    ],
)
def test_a_description_that_is_wrong_is_refused_with_the_reason(
    stick: Path, changes: dict[str, Any], words: str
) -> None:
    refused(made.automatic(stick / "two", **changes), InputError, words)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}', "[" * 100_000])
def test_a_description_that_is_no_document_is_refused(stick: Path, text: str) -> None:
    folder = made.automatic(stick / "two")
    (folder / "medlabel-model.json").write_text(text)
    refused(folder, InputError, "medlabel-model.json")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"spatial_size": "$[16, 16, 16]"}, "'spatial_size' is code"),
        ({"spatial_size": "@no_such"}, "refers to 'no_such'"),
        ({"spatial_size": "@spatial_size"}, "refers to itself"),
        ({"label_names": "$dict(spleen=1)"}, "'label_names' is code"),
        ({"network_def": "$evil()"}, "'network_def' is code"),
        ({"network_def": {"_target_": "os.system", "command": "x"}}, "network DynUNet"),
        ({"preprocessing_transforms": "$evil()"}, "'preprocessing' is code"),
        (
            {"preprocessing_transforms": [
                {"_target_": "Orientationd", "axcodes": "RAS"}, {"_target_": "Lambdad"},
            ]},
            "prepares images by 'Lambda'",
        ),
        ({"preprocessing_transforms": [{"_target_": "LoadImaged"}]}, "has no Orientation"),
        (
            {"preprocessing_transforms": [
                {"_target_": "Orientationd", "axcodes": {"_target_": "os.getcwd"}},
            ]},
            "'Orientation/axcodes' is code",
        ),
    ],
)  # fmt: skip
def test_code_in_a_bundle_is_refused_where_its_value_is_needed(
    stick: Path, changes: dict[str, Any], words: str
) -> None:
    refused(made.deepedit_bundle(stick / "spleen", **changes), InputError, words)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../../outside.pt", "lead out of it"), ("/etc/passwd", "lead out of it"),
        ("..\\outside.pt", "lead out of it"), ("C:/outside.pt", "lead out of it"),
    ],
)  # fmt: skip
def test_an_archive_that_leads_out_of_itself_is_refused(stick: Path, name: str, words: str) -> None:
    archive = made.zipped(made.automatic(stick / "two"))
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(name, "x")
    refused(archive, InputError, words)
    assert not (stick.parent / "outside.pt").exists()


def test_an_archive_with_a_link_is_refused(stick: Path) -> None:
    archive = made.zipped(made.automatic(stick / "two"))
    link = zipfile.ZipInfo("two/other.pt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(link, "/etc/passwd")
    refused(archive, InputError, "is a link")


def test_a_folder_with_a_link_is_refused(stick: Path, tmp_path: Path) -> None:
    folder = made.automatic(stick / "two")
    (folder / "model.pt").rename(tmp_path / "elsewhere.pt")
    (folder / "model.pt").symlink_to(tmp_path / "elsewhere.pt")
    refused(folder, InputError, "is a link")


def test_an_archive_that_swells_is_refused(stick: Path) -> None:
    folder = made.automatic(stick / "two")
    os.truncate(folder / "model.pt", 96 << 20)  # zeros, which pack to nothing
    refused(made.zipped(folder), InputError, "model.pt cannot be read")


def test_weights_that_swell_as_they_are_read_are_refused(stick: Path) -> None:
    folder = made.automatic(stick / "two")
    with zipfile.ZipFile(folder / "model.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(8 << 20))
    refused(folder, InputError, "swell beyond measure")


def test_what_is_no_model_is_refused(stick: Path) -> None:
    refused(stick, InputError, "nothing at that path")
    stick.mkdir()
    refused(stick, InputError, "no model in it")
    (stick / "a.txt").write_text("x")
    refused(stick / "a.txt", InputError, "no folder and no zip")
    torch.save(made.unet_weights(), stick / "weights.pt")
    refused(stick / "weights.pt", InputError, "no folder and no zip")
    nnunet = made.written(stick / "nnunet", {"plans.json": {}, "dataset.json": {}})
    refused(nnunet, InputError, "not of nnInteractive")


@pytest.mark.parametrize("name", ["default", "classic", "toy"])
def test_the_name_of_another_engine_is_refused(stick: Path, name: str) -> None:
    folder = made.automatic(stick / "two")
    refused(folder, InputError, "engine called", name=name, taken={"toy"})


@pytest.mark.parametrize("name", ["Big", "../x", "a b", ".hidden"])
def test_a_name_that_no_folder_should_have_is_refused(stick: Path, name: str) -> None:
    refused(made.automatic(stick / "two"), InputError, "cannot be called", name=name)


def test_a_second_model_of_the_same_name_leaves_the_first(stick: Path) -> None:
    folder = made.automatic(stick / "two")
    first = add_model(folder, check_model)
    with pytest.raises(OutputError, match="a model called two already"):
        add_model(folder, check_model)
    assert installed_models() == (first,)


def test_a_full_disk_leaves_nothing(stick: Path, models: Path) -> None:
    made.automatic(stick / "two")
    code = f"""
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from napari_medlabel.engines.models.store import add_model
add_model(Path({str(stick / "two")!r}), lambda record: sys.exit("checked"))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, MODELS: str(models)},
    )  # fmt: skip
    assert "the disk is full" in done.stderr
    assert installed_models() == ()


def test_adding_can_be_called_off(stick: Path) -> None:
    with pytest.raises(Cancelled):
        add_model(made.automatic(stick / "two"), check_model, cancelled=lambda: True)
    assert installed_models() == ()


def test_a_changed_or_lost_file_is_found_and_never_loaded(stick: Path) -> None:
    record = add_model(made.automatic(stick / "two"), check_model)
    good = record.weights.read_bytes()
    record.weights.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert problems_of(record) == ("model.pt is not the file that was installed",)
    with pytest.raises(IntegrityError, match="not the file that was installed"):
        check_model(record)
    record.weights.unlink()
    assert problems_of(record) == ("model.pt is missing or cannot be read",)
    assert "medlabel model verify two" in {one.name: one for one in engines()}["two"].why_not
    with pytest.raises(InputError, match="cannot run here"):
        chosen_engine("two")


@pytest.mark.parametrize("damage", ["{", "[]", "{}", None])
def test_a_damaged_record_is_listed_and_can_be_removed(
    stick: Path, models: Path, damage: str | None
) -> None:
    record = add_model(made.automatic(stick / "two"), check_model)
    if damage is None:
        (record.folder / "model.json").rename(record.folder / "x.json")
    else:
        (record.folder / "model.json").write_text(damage)
    assert installed_models() == (Damaged("two", "the record of the model two is damaged"),)
    assert "damaged" in {one.name: one for one in engines()}["two"].why_not
    with pytest.raises(InputError, match="damaged"):
        chosen_engine("two")
    remove_model("two")
    assert not (models / "two").exists()


def test_a_record_that_leads_out_of_its_folder_is_damaged(stick: Path) -> None:
    record = add_model(made.automatic(stick / "two"), check_model)
    document = json.loads((record.folder / "model.json").read_text())
    document["files"][1]["name"] = "../../secret.pt"
    (record.folder / "model.json").write_text(json.dumps(document))
    assert isinstance(installed_models()[0], Damaged)


def test_removing_removes_and_what_is_not_there_is_named(stick: Path, models: Path) -> None:
    add_model(made.automatic(stick / "two"), check_model)
    remove_model("two")
    assert installed_models() == ()
    assert not (models / "two").exists()
    for name in ("two", "../models", ""):
        with pytest.raises(InputError, match="no model with this name"):
            remove_model(name)


def test_models_are_in_the_users_data_without_a_word_of_theirs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(MODELS)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert models_folder().name == "models"
    assert installed_models() == ()
