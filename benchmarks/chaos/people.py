"""Who works at Hilltop while it is disturbed: each a thread that does its one thing again and again."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.chaos.ledger import Answer, HandIn, Intake, Ledger, Ruling
from benchmarks.chaos.line import Line
from benchmarks.chaos.pictures import Pictures, multipart

#: How often a labeler says another class than the photo shows; holds it; takes an answer back.
SLIPS, HOLDS, UNDOES = 0.06, 0.02, 0.03
#: How often the photo itself is fetched: a browser keeps many.
LOOKS = 0.3
#: How often a reviewer sends a photo back instead of ruling on it.
SENT_BACK = 0.1
STRICT, MAJORITY = "strict", "majority"
PROJECTS = (STRICT, MAJORITY)


@dataclass
class Crowd:
    """What all of them share. ``pace``: 1 is as fast as 50 people work here."""

    url: str
    ledger: Ledger
    pictures: Pictures
    seed: int
    pace: float = 1.0
    stop: threading.Event = field(default_factory=threading.Event)
    flaky: threading.Event = field(default_factory=threading.Event)
    #: Models, classes and photos stay as they are from now on.
    calm: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    #: Of these, whose work it is to change them.
    changing: list[threading.Thread] = field(default_factory=list)

    def begin(self, name: str, token: str, project: str, work: Callable[[Worker], None]) -> None:
        """Let somebody work until the end."""
        dice = random.Random(f"{self.seed} {name}")
        worker = Worker(self, name, self.line(token, dice), dice, project)
        self.threads.append(threading.Thread(target=worker.go_on, args=(work,), name=name))
        if work in CHANGES:
            self.changing.append(self.threads[-1])
        self.threads[-1].start()

    def line(self, token: str, dice: random.Random) -> Line:
        return Line(self.url, token, ledger=self.ledger, stop=self.stop, flaky=self.flaky, dice=dice)

    def come_to_rest(self) -> None:
        """Wait until nobody trains, promotes, amends or takes in any more."""
        self.calm.set()
        for thread in self.changing:
            thread.join()

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()


@dataclass
class Worker:
    """One person in one project."""

    crowd: Crowd
    name: str
    line: Line
    dice: random.Random
    project: str
    #: (photo, round) that this person has answered, as far as this person knows.
    answered: set[tuple[str, int]] = field(default_factory=set)

    @property
    def ledger(self) -> Ledger:
        return self.crowd.ledger

    def go_on(self, work: Callable[[Worker], None]) -> None:
        ends = self.crowd.calm if work in CHANGES else self.crowd.stop
        try:
            while not (self.crowd.stop.is_set() or ends.is_set()):
                work(self)
        except Exception as error:  # a person who is gone would make the rest look better than it is
            self.ledger.unexpected.append(f"{self.name} stopped: {error!r}")
            raise
        finally:
            self.line.close()

    def rest(self, seconds: float) -> bool:
        """Pause for about so long; whether it is over."""
        return self.crowd.stop.wait(self.dice.uniform(0.5, 1.5) * seconds / self.crowd.pace)

    def post(self, path: str, body: dict[str, Any] | None = None, *, fine: Sequence[int] = (409,)) -> Any:
        """The answer's JSON if it is 2xx. A refusal that is not among ``fine`` is written down as unexpected."""
        return self.taken(self.line.post(f"projects/{self.project}/{path}", body), path, fine)

    def get(self, path: str) -> Any:
        return self.taken(self.line.get(f"projects/{self.project}/{path}".rstrip("/")), path, ())

    def see(self, sha256: str) -> None:
        """The photo itself, as the screen shows it."""
        path = f"projects/{self.project}/photos/{sha256}/screen.webp"
        self.taken(self.line.get(path), path, ())

    def taken(self, told: tuple[int, Any] | None, path: str, fine: Sequence[int]) -> Any:
        if told is None:
            return None
        status, said = told
        if status < 300:
            return said if said is not None else {}
        if status not in fine:
            self.ledger.unexpected.append(f"{self.name} {path}: {status} {str(said)[:300]}")
        return None


def label(person: Worker) -> None:
    """A few photos, blind; now and then an answer is taken back and given anew."""
    if person.rest(1.5):
        return
    claimed = person.post("claims", {"count": 3})
    if not claimed or not claimed["tasks"]:
        person.rest(2.0)
        return
    for task in claimed["tasks"]:
        if person.rest(1.0):
            return
        if person.dice.random() < LOOKS:
            person.see(task["photo"]["sha256"])
        seen = (task["photo"]["sha256"], task["sent_back"] + 1)
        if seen in person.answered:
            person.ledger.shown_again.append((person.project, person.name, seen[0]))
        key = answer(person, task, seen)
        if key and person.dice.random() < UNDOES:
            take_back(person, key, seen)


def answer(person: Worker, task: dict[str, Any], seen: tuple[str, int]) -> str:
    """The key under which it was acknowledged, or nothing."""
    said = judge(person, seen[0])
    key = str(uuid.UUID(int=person.dice.getrandbits(128), version=4))
    given = {"key": key, "lease": task["lease"], "view_ms": 900, **said}
    # A lease that ran out while Hilltop was away is no loss; neither is a class that was merged away meanwhile.
    if person.post("annotations", given, fine=(409, 422)) is None:
        return ""
    person.answered.add(seen)
    person.ledger.answers.append(
        Answer(person.project, key, person.name, seen[0], given["kind"], given.get("class", ""))
    )
    return key


def judge(person: Worker, sha256: str) -> dict[str, str]:
    if person.dice.random() < HOLDS:
        return {"kind": "hold", "reason": "between"}
    shown = person.crowd.pictures.class_of(sha256)
    if person.dice.random() < SLIPS:
        shown = "defective" if shown == "functional" else "functional"
    return {"kind": "class", "class": shown}


def take_back(person: Worker, key: str, seen: tuple[str, int]) -> None:
    person.ledger.perhaps_undone.add(key)
    undone = person.post(f"annotations/{key}/undo")
    if undone is None:
        return
    person.ledger.undone.add(key)
    person.answered.discard(seen)
    again = undone["task"]
    answer(person, again, (again["photo"]["sha256"], again["sent_back"] + 1))


def sweep(person: Worker) -> None:
    """A grid in which everything of another class is marked; where there is none, photos one at a time."""
    person.project = STRICT
    told = person.post("sweeps", {})
    grid = told and told["sweep"]
    if not grid:
        label(person)
        return
    if person.rest(4.0):
        return
    photos = {photo["id"]: photo["photo"]["sha256"] for photo in grid["photos"]}
    other = {
        each for each, sha256 in photos.items() if person.crowd.pictures.class_of(sha256) != grid["class"]
    }
    key = str(uuid.UUID(int=person.dice.getrandbits(128), version=4))
    done = person.post(
        f"sweeps/{grid['id']}/hand-in",
        {"key": key, "view_ms": 60_000, "marks": [{"id": each} for each in sorted(other)]},
    )
    if done and done["counts"] and not done["gone"]:
        kept = tuple(sha256 for each, sha256 in photos.items() if each not in other)
        person.ledger.hand_ins.append(HandIn(person.project, key, person.name, grid["class"], kept))
        person.answered |= {(sha256, 1) for sha256 in kept}


def review(person: Worker) -> None:
    """Open disputes, ruled on by what the photo shows; some go back to the labelers."""
    if person.rest(2.0):
        return
    page = person.get("disputes?limit=10")
    for dispute in (page or {"results": []})["results"]:
        if person.rest(0.5):
            return
        class_ = person.crowd.pictures.class_of(dispute["photo"]["sha256"])
        ruling: dict[str, Any] = {"outcome": "class", "class": class_}
        if person.dice.random() < SENT_BACK:
            ruling = {"outcome": "send_back", "comment": "Look again at the middle."}
        if person.post(f"disputes/{dispute['id']}/ruling", ruling) is not None:
            person.ledger.rulings.append(
                Ruling(person.project, dispute["id"], person.name, ruling["outcome"], ruling.get("class", ""))
            )


def train_and_promote(person: Worker) -> None:
    """Train; promote the newest, or now and then go back to the one before."""
    if person.rest(12.0):
        return
    # Too few of a class, the same data as last time, or classes that changed meanwhile: told so, and tried again later.
    job = person.post("train", {"seed": person.dice.randrange(1000)}, fine=(409, 422))
    while job and job["state"] in {"queued", "running"}:
        if person.rest(1.0):
            return
        job = person.get(f"jobs/{job['id']}") or job
    models = (person.get("models?limit=1000") or {"results": []})["results"]
    if not models:
        return
    chosen = models[-1 if person.dice.random() < 0.8 else person.dice.randrange(len(models))]
    path = f"models/{chosen['number']}/promote"
    told = person.line.post(f"projects/{person.project}/{path}", {"reason": "to see"})
    # "It is already" acknowledges what was asked, too, where the first answer was lost.
    already = told is not None and told[0] == 409 and told[1]["error"]["code"] == "already_champion"
    if already or person.taken(told, path, (409,)) is not None:
        person.ledger.promotions.append((person.project, chosen["number"]))
    person.post("certify")


def amend(person: Worker) -> None:
    """A class comes, is merged into an old one, and the wording changes in between."""
    if person.rest(8.0):
        return
    project = person.get("")
    if project is None:
        return
    extra = next((key for key in project["classes"] if key.startswith("extra-")), None)
    if person.dice.random() < 0.4:
        change: dict[str, Any] = {"criteria": {"defective": f"It is dark. {person.dice.random():.6f}"}}
    elif extra:
        change = {"merge": {extra: "defective"}}
    else:
        name = f"extra-{project['guideline']}"
        change = {"add": [{"key": name, "name": name, "criteria": "Something else."}]}
    given = {"note": "As the day demands", "expected": project["guideline"], **change}
    if "criteria" in change:
        given["wording_only"] = True
    elif person.project == STRICT:
        given["wording_only"] = False
    made = person.post("guidelines", given, fine=(409, 422))
    if made is not None:
        person.ledger.versions.append((person.project, made["number"]))


def take_in(person: Worker) -> None:
    """A handful of new photos, and a file that is none."""
    if person.rest(6.0):
        return
    files = person.crowd.pictures.more(person.dice.randint(3, 8)) | {"note.txt": b"bring milk"}
    body, content_type = multipart(files)
    told = person.line.upload(f"projects/{person.project}/intake", body, content_type)
    made = person.taken(told, "intake", (409,))
    if made is not None:
        person.ledger.intakes.append(Intake(person.project, made["id"], len(files)))


def look(person: Worker) -> None:
    """Reads what people read: progress, figures, lists."""
    if person.rest(3.0):
        return
    person.get(person.dice.choice(("progress", "guideline", "dashboard", "")))


def oversee(person: Worker) -> None:
    """An admin's day: figures, doubted photos to review, random photos for people."""
    if person.rest(5.0):
        return
    photos = (person.get("ground-truths?current=true&limit=20") or {"results": []})["results"]
    for path in ("bands", "frontier", "labelers", "jobs?limit=20"):
        person.get(path)
    if photos and person.dice.random() < 0.3:
        photo = person.dice.choice(photos)
        person.post(f"items/{photo['sha256']}/review", {"note": "Is it?"})
    if person.dice.random() < 0.3:
        person.post("draw", {"count": 5})


#: What ends certificates, or keeps the computing of scores going.
CHANGES = (train_and_promote, amend, take_in)


def wait_until(holds: Callable[[], object], timeout: float, every: float = 0.1) -> bool:
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True
