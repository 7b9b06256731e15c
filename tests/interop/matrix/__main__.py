"""Write docs/foreign-phones.md from the data of the matrix."""

from tests.interop.matrix.cells import document
from tests.interop.office import ROOT

(ROOT / "docs" / "foreign-phones.md").write_text(document(), encoding="utf-8")
