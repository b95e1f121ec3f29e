"""Write the page of the plans of all full-size runs, docs/plans.md, from the run files alone.

python -m wsss_stages.commands.plan.published > docs/plans.md
"""

import sys

from wsss_stages.commands.plan import full_size
from wsss_stages.commands.plan.full_size import FullSize, Line

RUNS: dict[str, tuple[list[str], str]] = {
    "voc12_box": (["voc12", "voc12_box"], "all"),
    "voc12_scribble": (["voc12", "voc12_scribble"], "all"),
    "voc12_point": (["voc12", "voc12_point"], "all"),
    "voc12_tag": (["voc12", "voc12_tag"], "all"),
    "voc12_rrm": (["voc12", "voc12_rrm"], "all"),
    "voc12_rrm_two_step": (["voc12", "voc12_rrm_two_step"], "all"),
    "voc12_dfr": (["voc12", "voc12_dfr"], "all"),
    "voc12_instances": (["voc12", "voc12_instances"], "instances"),
    "context_scribble": (["context_scribble"], "all"),
    "coco_box": (["coco_box"], "all"),
    "coco_instances": (["coco_box", "coco_instances"], "instances"),
    "pascal5i": (["pascal5i"], "scl"),
    "coco20i": (["coco20i"], "scl"),
    "coco20i_2017": (["coco20i", "coco20i_2017"], "scl"),
}
"""Run files and target of every full-size run."""


def page() -> str:
    """Return the page."""
    _, measured, machine = full_size.read()
    plans = {name: FullSize(runs, target).lines() for name, (runs, target) in RUNS.items()}
    totals = "\n".join(
        f"| [`{name}.yaml`](#{name}) | {len(lines)} | {_hours(sum(line.hours for line in lines))} | {_gigabytes(lines)} |"
        for name, lines in plans.items()
    )
    chapters = "\n\n".join(f"## {name}\n\n{_table(lines)}" for name, lines in plans.items())
    return f"""# Plans of the full-size runs

What the run files of the thesis's results cost, without their data: **none of these hours has been measured.** Images, steps, jobs and bytes follow
from the run files and the published sizes of the datasets. Operations of networks are counted (forward, and twice as much backward; the heads of
SEAM, RRM and few-shot networks are not counted or only roughly, Mask R-CNN's are taken for as much as its backbone). From them hours follow at
{machine.operations / 1e12:.0f} tera-operations a second on {machine.gpus} GPU, which is an assumption. What processors do (GrabCut {measured["grabcut"]} s a box,
CRF {measured["crf"]} s, A²GNN {measured["a2gnn"]} s an image, at VOC's size) was measured on one core of an AMD EPYC ([Speed](speed.md)) and is
divided by {machine.cores} cores; a GPU does A²GNN and CRFs faster. What a job takes to start, and cuDNN to plan, is missing. So read hours as "a day or a
week", not as a promise, and measure yours with the data at hand: [`wsss plan`](cluster.md#what-a-run-will-cost). Numbers: `workflow/full_size.yaml`; this
page: `python -m wsss_stages.commands.plan.published > docs/plans.md`.

| run | stages | hours | disk GB |
|---|---|---|---|
{totals}

{chapters}
"""


def _table(lines: list[Line]) -> str:
    rows = [
        f"| `{line.stage}` | {line.jobs} | {line.work.units:,} {line.work.what} | {line.work.operations / 1e9:,.0f} | "
        f"{line.work.seconds:.2f} | {_hours(line.hours)} | {line.work.disk / 1e9:.2f} |"
        for line in lines
    ]
    header = "| stage | jobs | images or steps | 10⁹ operations of one | processor seconds of one | hours | disk GB |\n|---|---|---|---|---|---|---|"
    return "\n".join([header, *rows])


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.1f}"


def _gigabytes(lines: list[Line]) -> str:
    return f"{sum(line.work.disk for line in lines) / 1e9:.1f}"


if __name__ == "__main__":
    sys.stdout.write(page())
