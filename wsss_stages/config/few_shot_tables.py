"""Chapter 5's tables, as workflow/tables.yaml has them: each row a row of the scores of a variant, on some of the folds."""

from pydantic import BaseModel, ConfigDict

from wsss_stages.config.tables import of_file


def row_of(shots: int, how: str) -> str:
    """Return the name of a row of scores.json: supports averaged, "cross" (Eq. 5.17), or a "prototype" that nothing was trained for."""
    return f"{shots}-shot" if shots == 1 and how == "average" else f"{shots}-shot {how}"


def control_of(row: str) -> str:
    """Return the row of the control, whose support shows a class that is not scored."""
    return f"{row}, another class"


class Row(BaseModel):
    """One row."""

    model_config = ConfigDict(extra="forbid")

    title: str
    variant: str
    scored: str
    """Row of scores.json."""
    thesis: list[float] = []
    """mIoU of the thesis on PASCAL-5^i, %: of each fold, or one mean of all; empty where it has no such row."""
    thesis_fb: float | None = None

    def thesis_of(self, folds: list[int]) -> float | None:
        """Return the thesis's mean over these folds, or over all where it tells no other."""
        if not self.thesis:
            return None
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
