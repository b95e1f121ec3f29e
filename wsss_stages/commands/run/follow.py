"""The state of a run, read from Snakemake's output and the logs of its jobs: finished jobs, jobs at work, time left."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

WORDS = {
    "data": "reading the folder", "weak_index": "labels of every photograph", "s1_classifier": "classifier", "s2_cam": "class activation maps",
    "s3_masks": "masks of the labels", "s3_seeds": "confident pixels", "s4_object_net": "object network", "s4_affinity": "affinity network",
    "s5_object_masks": "soft masks of boxes", "s5_walk": "choice of the random walk", "s5_graph": "graphs", "s6_propagate": "pseudo labels",
    "s6_instance_masks": "masks of objects", "s7_segment": "segmenter", "s7_instances": "detector", "s8_predict": "predictions",
    "s8_detect": "detections", "s9_evaluate": "scores", "s9_review": "what to look at first", "report": "pictures of the report",
    "rrm_train": "RRM", "rrm_label": "labels of RRM", "dfr_train": "DFR",
}  # fmt: skip
"""Stages as a person would name them."""
TYPICAL = {
    "data": 4, "s1_classifier": 820, "s2_cam": 250, "s3_masks": 210, "s3_seeds": 25, "s4_object_net": 870, "s4_affinity": 750,
    "s5_object_masks": 170, "s5_walk": 30, "s5_graph": 150, "s6_propagate": 560, "s7_segment": 1530, "s8_predict": 105, "s9_evaluate": 20,
    "s9_review": 20, "report": 60, "rrm_train": 1500, "rrm_label": 150, "dfr_train": 1500,
}  # fmt: skip
"""Wall seconds of a stage on 498 photographs and two cores: what a run's time is shared by where no plan has measured it."""
OTHER = 10.0
"""Wall seconds of a stage that is not in TYPICAL."""
LEAST_SHARE = 0.03
"""Share of the work that is done before the time left is said."""
LEAST_SECONDS = 20.0
TAIL = 4096
"""Bytes of a log in which the last line of progress is looked for."""
DONE = re.compile(r"\b(\d+)/(\d+), (?:loss\b|[\d.]+ a second)")


@dataclass
class Failure:
    """A job that failed: its rule, and its log if there is one."""

    rule: str
    log: Path | None = None


@dataclass
class AtWork:
    """A job at work: its stage and its log."""

    stage: str
    log: Path


@dataclass
class Jobs:
    """Jobs of a run, as far as Snakemake's output has named them."""

    home: Path
    weights: dict[str, float] = field(default_factory=lambda: dict(TYPICAL))
    """Wall seconds of a stage, all jobs together, in any unit."""
    done: int = 0
    total: int = 0
    planned: dict[str, int] = field(default_factory=dict)
    """Jobs by rule."""
    finished: dict[str, int] = field(default_factory=dict)
    at_work: dict[int, AtWork] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    _job: int = 0
    _in_table: bool = False

    def read(self, line: str) -> None:
        """Take a line of Snakemake's output."""
        line = line.rstrip("\n")
        if self._in_table or line == "Job stats:":
            self._table(line)
        elif found := re.match(r"(?:Job|localjob) (\d+): ", line):
            self._job = int(found[1])
        elif found := re.match(r"Shell command: .*wsss_stages\.stages\.(\w+) .*> (\S+) 2>&1", line):
            self.at_work[self._job] = AtWork(found[1], self.home / found[2])
        elif found := re.match(r"Finished jobid: (\d+) \(Rule: (\w+)\)", line):
            self.at_work.pop(int(found[1]), None)
            self.finished[found[2]] = self.finished.get(found[2], 0) + 1
        elif found := re.match(r"(\d+) of (\d+) steps", line):
            self.done, self.total = int(found[1]), int(found[2])
        elif found := re.match(r"Error in rule (\w+)", line):
            self.failures.append(Failure(found[1]))
        elif self.failures and (found := re.match(r" +jobid: (\d+)", line)):
            self.at_work.pop(int(found[1]), None)
        elif self.failures and (found := re.match(r" +log: (\S+)", line)):
            self.failures[-1].log = self.home / found[1].rstrip(",")

    def _table(self, line: str) -> None:
        """Take a line of the table of jobs, which ends with their total."""
        if line == "Job stats:":
            self._in_table, self.planned = True, {}
        elif found := re.match(r"(\w+) +(\d+)$", line):
            if found[1] == "total":
                self._in_table, self.total = False, max(self.total, int(found[2]))
            else:
                self.planned[found[1]] = int(found[2])

    def share(self) -> float:
        """Return the share of the planned work that is done, in [0, 1]."""
        total = sum(self._weight(rule) for rule in self.planned)
        done = sum(self._weight(rule) * min(1.0, self._parts(rule) / count) for rule, count in self.planned.items())
        return done / total if total else 0.0

    def _weight(self, rule: str) -> float:
        return 0.0 if rule in ("all", "masks") else self.weights.get(rule, OTHER)

    def _parts(self, rule: str) -> float:
        """Return the finished jobs of a rule, with the shares that are done of those at work."""
        at_work = sum((progress_of(job.log) for job in self.at_work.values() if job.stage == rule), 0.0)
        return self.finished.get(rule, 0) + at_work

    def left(self, now: float | None = None) -> float | None:
        """Return the seconds that the rest of the run will take; None while too little is done to say."""
        elapsed, share = (time.monotonic() if now is None else now) - self.started, self.share()
        if share < LEAST_SHARE or elapsed < LEAST_SECONDS:
            return None
        return elapsed * (1 - share) / share

    def line(self) -> str:
        """Return the line of progress: jobs, stages at work, time left."""
        stages = list(dict.fromkeys(job.stage for job in self.at_work.values()))
        working = ", ".join(self._named(stage) for stage in stages) or "choosing what to do"
        left = self.left()
        text = "time left not known yet" if left is None else f"about {duration(left)} left"
        return f"{self.done}/{self.total or '?'} jobs | {working} | {text}"

    def _named(self, stage: str) -> str:
        shares = [progress_of(job.log) for job in self.at_work.values() if job.stage == stage]
        return f"{WORDS.get(stage, stage)} {100 * sum(shares) / len(shares):.0f} %"


def progress_of(log: Path) -> float:
    """Return the share of a job that its log says is done; 0 where it says nothing yet."""
    try:
        with open(log, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return 0.0
    found = DONE.findall(text)
    return int(found[-1][0]) / max(1, int(found[-1][1])) if found else 0.0


def duration(seconds: float) -> str:
    """Return seconds as a person says them: 40 s, 12 min, 2 h 5 min."""
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
