"""Chapter 5's tables, as workflow/tables.yaml has them: each row a row of the scores of a variant, on some of the folds."""

from pydantic import BaseModel, ConfigDict

from wsss_stages.tables import of_file

ONE_SHOT = "1-shot"
ANOTHER_CLASS = "1-shot, another class"
"""Rows of scores.json: with a support, and the control, whose support shows a class that is not scored."""


class Row(BaseModel):
    """One row."""

    model_config = ConfigDict(extra="forbid")

    title: str
    variant: str
    scored: str
    """Row of scores.json."""
    thesis: list[float]
    """mIoU of the thesis on PASCAL-5^i, %: of each fold, or one mean of all."""
    thesis_fb: float | None = None

    def thesis_of(self, folds: list[int]) -> float:
        """The thesis's mean over these folds, or over all where it tells no other."""
        its = self.thesis if len(self.thesis) == 1 else [self.thesis[fold] for fold in folds]
        return sum(its) / len(its)


class Table(BaseModel):
    """Heading and rows."""

    model_config = ConfigDict(extra="forbid")

    title: str
    rows: list[Row]


def read() -> tuple[dict[str, dict], dict[str, Table]]:
    """Variants that the rows add to the config's, and the tables by name."""
    content = of_file()["few_shot"]
    return content["variants"], {key: Table(**table) for key, table in content["tables"].items()}
