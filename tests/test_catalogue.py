"""Plug-ins are found by the folder they are in."""

import pytest

from pbx.catalogue import BrokenCatalogue, plug_ins


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package `wardrobe` in two folders; returns what writes a module into one of them."""
    folders = [tmp_path / name / "wardrobe" for name in ("one", "two")]
    for folder in folders:
        folder.mkdir(parents=True)
        monkeypatch.syspath_prepend(str(folder.parent))

    def write(folder: int, name: str, text: str) -> None:
        (folders[folder] / f"{name}.py").write_text(text)

    yield write
    import sys

    for name in [name for name in sys.modules if name.split(".")[0] == "wardrobe"]:
        del sys.modules[name]


def test_every_module_is_a_plug_in_by_its_name(package):
    package(0, "b", "verb = 2")
    package(1, "a", "verb = 1")
    assert [(name, module.verb) for name, module in plug_ins("wardrobe", needs="verb").items()] == [("a", 1), ("b", 2)]


def test_two_of_one_name_are_refused(package):
    package(0, "a", "verb = 1")
    package(1, "a", "verb = 2")
    with pytest.raises(BrokenCatalogue, match="wardrobe has two plug-ins named a"):
        plug_ins("wardrobe", needs="verb")


def test_what_is_missing_is_named(package):
    package(0, "a", "noun = 1")
    with pytest.raises(BrokenCatalogue, match=r"wardrobe\.a defines no 'verb'"):
        plug_ins("wardrobe", needs="verb")
