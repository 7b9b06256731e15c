"""The images of an installation: `firmware.yaml` in a folder, and the files it names beside it."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from provisioning_server.firmware import Image
from provisioning_server.manifest import FirmwareImage

LIST = "firmware.yaml"


def load_images(folder: Path, families: frozenset[str]) -> tuple[tuple[Image, ...], tuple[str, ...]]:
    """Return the sound images, and what is wrong with the others: file, entry and reason. No list: no images."""
    path = folder / LIST
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return (), ()
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        return (), (f"{path}: {fault}",)
    if not isinstance(entries, list):
        return (), (f"{path}: no list of images",)
    found, wrong = [], []
    for number, entry in enumerate(entries, start=1):
        told = _image(folder, entry, families)
        if isinstance(told, Image):
            found.append(told)
        else:
            wrong.append(f"{path}: entry {number}: {told}")
    return tuple(found), tuple(wrong)


def _image(folder: Path, entry: object, families: frozenset[str]) -> Image | str:
    """Return the image, or why there is none."""
    try:
        said = FirmwareImage.model_validate(entry)
    except ValidationError as fault:
        first = fault.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if said.family not in families:
        return f"family: there is no {said.family!r}"
    path = folder / said.file
    if not path.resolve().is_relative_to(folder.resolve()):
        return f"file: {said.file} lies outside {folder}"
    if not path.is_file():
        return f"file: {path} does not exist"
    return Image(said.family, said.version, path, said.models, said.needs)
