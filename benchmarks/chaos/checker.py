"""Is what was acknowledged stored, once, and is what follows from it right? From the ledger and the exports alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from benchmarks.chaos.exports import Said
from benchmarks.chaos.ledger import Ledger
from benchmarks.chaos.rules import photos_of, wrong_with

LIVE = {"queued", "running"}


@dataclass
class Findings:
    """``stored``: things of the ledger that are there as they were acknowledged; the rest in words, one a breach."""

    stored: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def acknowledged(self, is_there: bool, what: str) -> None:
        if is_there:
            self.stored += 1
        else:
            self.lost.append(what)


def check(ledger: Ledger, said_of: dict[str, Said]) -> Findings:
    """``said_of``: by project, read when all is quiet."""
    found = Findings()
    for project, said in said_of.items():
        _answers(ledger, project, said, found)
        _hand_ins(ledger, project, said, found)
        _rulings(ledger, project, said, found)
        _intakes(ledger, project, said, found)
        _versions(ledger, project, said, found)
        _jobs(project, said, found)
        for sha256, photo in photos_of(said).items():
            if why := wrong_with(said, sha256, photo):
                found.wrong.append(f"{project} {sha256[:12]}: {why}; {photo}")
        _certificates(project, said, found)
    found.wrong += [
        f"{project} {photo[:12]}: shown again to {who}" for project, who, photo in ledger.shown_again
    ]
    return found


def _answers(ledger: Ledger, project: str, said: Said, found: Findings) -> None:
    """Each with its key, its person, its photo and what was said, once; and nobody answered a photo twice."""
    times = Counter(row["key"] for row in said.annotations)
    found.doubled += [
        f"{project}: {count} answers have the key {key}" for key, count in times.items() if count > 1
    ]
    by_key = {row["key"]: row for row in said.annotations}
    for answer in ledger.answers:
        if answer.project != project:
            continue
        row = by_key.get(answer.key)
        found.acknowledged(row is not None, f"{project}: answer {answer.key} of {answer.person}")
        if row is None:
            continue
        told = (answer.person, answer.sha256, answer.kind, answer.class_)
        if (stored := (row["labeler"], row["sha256"], row["kind"], row["class"])) != told:
            found.wrong.append(f"{project}: answer {answer.key} was {told}, and is stored as {stored}")
        if answer.key in ledger.undone:
            found.acknowledged(row["retracted_at"] is not None, f"{project}: {answer.key} was taken back")
        elif row["retracted_at"] is not None and answer.key not in ledger.perhaps_undone:
            found.wrong.append(f"{project}: nobody took {answer.key} back")
    stands = Counter(
        (row["sha256"], row["round"], row["labeler"])
        for row in said.annotations
        if row["retracted_at"] is None
    )
    found.doubled += [
        f"{project} {sha256[:12]}: {who} has {count} answers in round {round}"
        for (sha256, round, who), count in stands.items()
        if count > 1
    ]


def _hand_ins(ledger: Ledger, project: str, said: Said, found: Findings) -> None:
    """Each photo that was left as the grid's class is an answer of that person; a planted one need not be."""
    swept = {(row["labeler"], row["sha256"], row["class"]) for row in said.annotations}
    for hand_in in ledger.hand_ins:
        if hand_in.project == project:
            missing = [
                sha256
                for sha256 in hand_in.kept
                if sha256 not in said.gold and (hand_in.person, sha256, hand_in.class_) not in swept
            ]
            found.acknowledged(not missing, f"{project}: {len(missing)} answers of the grid {hand_in.key}")


def _rulings(ledger: Ledger, project: str, said: Said, found: Findings) -> None:
    told = Counter(ruling.dispute for ruling in ledger.rulings if ruling.project == project)
    found.doubled += [
        f"{project}: {count} rulings on {dispute} were acknowledged"
        for dispute, count in told.items()
        if count > 1
    ]
    for ruling in ledger.rulings:
        if ruling.project != project:
            continue
        stored = said.rulings.get(ruling.dispute)
        found.acknowledged(stored is not None, f"{project}: the ruling on {ruling.dispute}")
        if stored is not None:
            mine = (ruling.person, ruling.outcome, ruling.class_)
            if (theirs := (stored["reviewer"], stored["outcome"], stored["class"])) != mine:
                found.wrong.append(f"{project}: the ruling on {ruling.dispute} was {mine}, and is {theirs}")


def _intakes(ledger: Ledger, project: str, said: Said, found: Findings) -> None:
    """Listed = in + there already + refused, each refused one with its reason."""
    for intake in ledger.intakes:
        if intake.project != project:
            continue
        batch, files = said.intakes[intake.batch]
        found.acknowledged(
            batch["total"] == len(files) == intake.files,
            f"{project}: of {intake.files} files of intake {intake.batch} {len(files)} are listed",
        )
        if batch["state"] == "finished" and batch["counts"].get("pending"):
            found.wrong.append(
                f"{project}: intake {intake.batch} is finished, and files wait: {batch['counts']}"
            )
        found.wrong += [
            f"{project}: {file['name']} of intake {intake.batch} is refused as {file['reason'] or 'nothing'}"
            for file in files
            if (file["outcome"] == "refused" and file["name"].endswith(".png")) or not file["outcome"]
        ]


def _jobs(project: str, said: Said, found: Findings) -> None:
    """All are over, and one that failed says what to do: a full disk does, something that nobody foresaw does not."""
    found.wrong += [
        f"{project}: {job['kind']} is {job['state']}" for job in said.jobs if job["state"] in LIVE
    ]
    found.wrong += [
        f"{project}: {job['kind']} failed: {job['error']}"
        for job in said.jobs
        if job["state"] == "failed" and (not job["error"] or "unexpected" in job["error"])
    ]


def _versions(ledger: Ledger, project: str, said: Said, found: Findings) -> None:
    for of, number in ledger.versions:
        if of == project:
            found.acknowledged(number in said.versions, f"{project}: guideline version {number}")
    promoted = [number for of, number in ledger.promotions if of == project]
    for number in promoted[:-1]:
        found.acknowledged(True, f"{project}: model {number}")
    if promoted:
        found.acknowledged(
            promoted[-1] == said.champion,
            f"{project}: {promoted[-1]} was promoted last, and {said.champion} is champion",
        )


def _certificates(project: str, said: Said, found: Findings) -> None:
    """What is certified is the champion's and proves what is stated; a photo is decided once, by what was certified."""
    frontier = said.frontier
    if frontier["model"] != said.champion:
        found.wrong.append(
            f"{project}: the frontier is of model {frontier['model']}, champion is {said.champion}"
        )
    for each in frontier["classes"]:
        proof = each["certificate"]
        if each["state"] != "certified" or proof is None:
            continue
        if proof["bound"] < proof["precision"] or proof["n"] <= 0 or not 0 <= proof["errors"] <= proof["n"]:
            found.wrong.append(
                f"{project}: the certificate of {each['class']} proves less than it states: {proof}"
            )
        if said.counts_as.get(each["class"]) != each["class"]:
            found.wrong.append(f"{project}: {each['class']} is certified, and is no class any more")
    standing = [row for row in said.decisions if row["standing"]]
    times = Counter(row["sha256"] for row in standing)
    found.doubled += [f"{project} {photo[:12]}: {n} decisions stand" for photo, n in times.items() if n > 1]
    found.wrong += [
        f"{project} {row['sha256'][:12]}: its decision states {row['stated']}, and its certificate {row['stated_precision']}"
        for row in standing
        if row["stated"] is None or row["stated"] > row["stated_precision"] + 1e-9
    ]
