"""Random days: faults, kills, cancels and resumes in any order, and the bytes are equal.

Every case is made from its number alone; ``JDAVIZ_MAST_CASES=17`` or ``17-40`` runs those, and
``JDAVIZ_MAST_SEED`` gives others than the usual ones.
"""

import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from bad_days import SMALL_PARTS, BadDay, fits, journalled, overlap, reprocessed

from jdaviz_mast.demo import DemoArchive, Fault

pytestmark = pytest.mark.slow

CASES = range(320)
AT_ONCE = 6  # a case mostly waits: for a retry, or for the moment of its kill
SEED = os.environ.get("JDAVIZ_MAST_SEED", "")

QUICK = SMALL_PARTS | {
    "schedule.SMALLEST_PART": 1 << 13,
    "schedule.LARGEST_PART": 1 << 14,
    "partial._CHECKPOINT_SECONDS": 0.0,
    "timeout": 1.0,
    "retries": 3,
}

# What a fault may be, and how often it is drawn.
KINDS = {"truncate": 4, "reset": 4, "short": 2, "status": 4, "ignore-range": 1, "gzip": 1,
         "no-accept-ranges": 1, "no-validators": 1, "no-etag": 1, "chunked": 1, "changed": 1,
         "stall": 0.3, "html": 0.5, "corrupt": 0.3}  # fmt: skip
# These may make the engine start a file over, which it is right to do.
RESTARTS = {"changed", "ignore-range", "no-accept-ranges", "no-validators", "no-etag", "gzip",
            "html", "corrupt"}  # fmt: skip


def some_faults(chance, uris, first):
    """Some faults, for some of the files, for some of the requests of the first run or another."""
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        (kind,) = chance.choices([*KINDS], KINDS.values())
        # Wrong bytes of the right size in the middle of a file cannot be known: HTTP has no
        # checksum, and only its headers show that a file is FITS. So they spoil all of it, and
        # not the rest of a file of which a run before has brought the headers.
        always = kind == "corrupt"
        if always and not first:
            continue
        yield Fault(
            kind,
            match=chance.choice(uris),
            times=-1 if always else chance.choice([1, 1, 1, 2, 3, 6]),
            after=0 if always else chance.choice([0, 0, 1, 2, 5, 9]),
            status=chance.choice([500, 502, 503, 429, 404, 403]),
            retry_after=chance.choice([None, None, 0, 1]),
            fraction=chance.choice([0, 0.3, 0.7, chance.random(), 0.999]),
        )


class Case:
    """One sequence of runs over a few files, and what is true after each of them."""

    def __init__(self, archive, folder, number):
        self.chance = random.Random(f"{SEED} {number}")
        self.archive, self.day = archive, BadDay(archive, folder / str(number), f"case{number}")
        for count in range(self.chance.choice([1, 1, 2, 4])):
            size = self.chance.choice([0, 2880, 20_000, 100_000, 300_000])
            self.day.serve(
                f"{count}_i2d.{'fits' if size else 'txt'}", fits(size, f"{number}{count}")
            )
        self.paths = {r["dataURI"]: self.day.path(r["productFilename"]) for r in self.day.rows}
        self.job_id, self.restarting, self.kills, self.log = None, set(), 0, []

    def run(self):
        """Some bad runs, then a good one."""
        for number in range(self.chance.choice([1, 2, 2, 3, 4])):
            for fault in some_faults(self.chance, [*self.paths], number == 0):
                self.begin(fault)
            self.step(self.chance.choice(["kill", "kill", "kill", "cancel", "end"]))
            self.archive.clear_faults()
        report = self.step("end")
        self.day.check_all_complete(report)

    def begin(self, fault):
        """Put a fault in force, and note what may come of it."""
        self.log.append(f"{fault.kind} {fault.status} {fault.times}+{fault.after} {fault.match}")
        if fault.kind in RESTARTS:
            self.restarting.add(fault.match)
        if fault.kind == "changed":
            data = self.day.contents_of(fault.match)
            data[:] = {data[0], reprocessed(data[0])}
        self.archive.fail(fault)

    def step(self, ending):
        """One process, to its end, or to a kill or a cancel at a random moment."""
        self.log.append(ending)
        before = {uri: len(self.day.requests(uri)) for uri in self.paths}
        finished = {uri: journalled(path) for uri, path in self.paths.items()}
        whole = {uri for uri, path in self.paths.items() if path.exists()}
        moment = self.chance.choice([0.03, 0.06, 0.1, 0.3, 1.0]) * self.chance.random()
        cancel_after = moment if ending == "cancel" else None
        run = self.day.start(job_id=self.job_id, cancel_after=cancel_after, **QUICK)
        report = None
        if ending == "kill":
            time.sleep(moment)
            self.job_id = run.kill() or self.job_id
            self.kills += 1
        else:
            report = run.report(90)
            self.job_id = report.id
            self.day.check(report, bad=self.paths)
        for path in self.day.visible():
            assert path.read_bytes() in self.day.contents[path.name], f"{path} is not whole"
        for uri in self.paths:
            asked = self.day.ranges(uri, before[uri])
            assert uri not in whole or not asked, f"{uri} was whole and was asked for again"
            if uri not in self.restarting:
                again = overlap(asked, finished[uri])
                assert again == [], f"{uri} was asked for again where the journal had it"
        return report


def chosen_cases():
    """Numbers of the cases to run."""
    first, _, last = os.environ.get("JDAVIZ_MAST_CASES", "").partition("-")
    return range(int(first), int(last or first) + 1) if first else CASES


def test_after_any_sequence_of_faults_kills_and_resumes_the_bytes_are_equal(tmp_path):
    cases, wrong = chosen_cases(), {}

    def live_through(worker):
        kills = 0
        with DemoArchive() as archive:  # its faults and its log are of one case at a time
            archive.products.clear()
            for number in cases[worker::AT_ONCE]:
                case = Case(archive, tmp_path, number)
                try:
                    case.run()
                except Exception as error:  # noqa: BLE001 - all cases are told together below
                    wrong[number] = f"case {number}: {error!r}\n    after {case.log}"
                kills += case.kills
        return kills

    with ThreadPoolExecutor(AT_ONCE) as threads:
        kills = sum(threads.map(live_through, range(AT_ONCE)))

    assert not wrong, f"{len(wrong)} of {len(cases)} cases\n" + "\n".join([*wrong.values()][:8])
    assert len(cases) < 300 or kills > 200
