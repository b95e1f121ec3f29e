"""Rows of the thesis's tables, and input functions of the rules that make them."""

from wsss_stages.config import comparisons, tables

TABLES = tables.read()[1]
FEW_SHOT_TABLES = tables.read_few_shot()[1]
COMPARISONS = comparisons.read()


def rows_of_table(wildcards):
    """(number of a row, kind of weak label, one of its variants) for all rows of a table."""
    table = TABLES[wildcards.table]
    return [
        (number, table.weak_of(row) or wildcards.weak, variant)
        for number, row in enumerate(table.rows)
        for variant in table.scored(row, section("tables"))
    ]


def scores_of_table(wildcards):
    split = TABLES[wildcards.table].split
    return [
        f"results/{wildcards.dataset}/{weak}/{variant}/s9_evaluate/{split}/scores.json"
        for _, weak, variant in rows_of_table(wildcards)
    ]


def numbered(name, rows):
    """Params function: the flag --NAME with the files of the input NAME, each with the number of its row, or nothing without files."""

    def flag(wildcards, input):
        files = [
            f"{number}={path}"
            for (number, *_), path in zip(rows(wildcards), input.get(name))
        ]
        return f"--{name} {' '.join(files)}" if files else ""

    return flag


def paces_of_table(wildcards):
    """Return the paces of RRM's steps in every row, for a table that shows them."""
    if not TABLES[wildcards.table].timed:
        return []
    return [
        f"results/{wildcards.dataset}/{weak}/{dag.home(config, variant, 'rrm_train', weak)}/rrm_train/pace.json"
        for _, weak, variant in rows_of_table(wildcards)
    ]


def agreements_of_table(wildcards):
    """Return how well every row finds hidden seeds, for a table that shows it."""
    if not TABLES[wildcards.table].agreement:
        return []
    return [
        f"results/{wildcards.dataset}/{weak}/{variant}/s6_agreement/agreement.json"
        for _, weak, variant in rows_of_table(wildcards)
    ]


def scores_of_comparison(wildcards):
    """Params function: the scores that a table of comparison finds, with a digest of each, so that new ones make it again."""
    files = COMPARISONS[wildcards.comparison].all_files(wildcards.dataset)
    return {str(path): changes.listing(path) for path in comparisons.existing(files)}


def rows_of_few_shot_table(wildcards):
    """(number of a row, the variant with its scores, fold) for all rows and folds of a table."""
    return [
        (number, dag.home(config, row.variant, "scl_evaluate"), fold)
        for number, row in enumerate(FEW_SHOT_TABLES[wildcards.few_shot_table].rows)
        for fold in section("tables")["folds"]
    ]


def scores_of_few_shot_table(wildcards):
    return [
        f"results/{wildcards.dataset}/scl/fold{fold}/{variant}/scl_evaluate/scores.json"
        for _, variant, fold in rows_of_few_shot_table(wildcards)
    ]
