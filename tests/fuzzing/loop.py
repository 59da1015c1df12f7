"""Fuzz all readers of strangers' files, each in turn, and add up the time in a log.

    python -m fuzzing.loop --hours 24

A slice of a minute goes to the reader that had the least so far. Whatever is interesting is kept in
.fuzzing/corpus and a run goes on from there; what is wrong is kept in .fuzzing/faults and named,
and the exit code is then 1. `--keep` takes the smallest inputs that reach what was reached into
the corpus of the tests. Stop it at any time: the log has all slices but the running one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from fuzzing.targets import Target, targets
from stainless.files import write_json

HERE = Path(__file__).parent
LOG = HERE / "log.json"
KEPT = HERE / "corpus"
WORK = HERE.parents[1] / ".fuzzing"

#: Seconds of a slice; of one input; megabytes of the process; bytes of an input.
SLICE, TIMEOUT, MEMORY, LONGEST = 60, 20, 2500, 4096


def main() -> int:
    """Run slices until the hours are over."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=24, help="CPU hours of this run")
    parser.add_argument("--targets", nargs="*", help="readers; all by default")
    parser.add_argument("--keep", action="store_true", help="renew the corpus of the tests")
    args = parser.parse_args()
    known = targets()
    chosen = {name: known[name] for name in args.targets or known}
    if args.keep:
        for name, target in chosen.items():
            _keep(name, target)
        return 0
    faults, end = 0, args.hours * 3600
    with tqdm(total=round(end), unit="s", desc="fuzz") as bar:
        spent = 0.0
        while spent < end:
            log = _log()
            name = min(chosen, key=lambda name: log.get(name, {}).get("cpu_seconds", 0))
            bar.set_postfix_str(name)
            seconds, executions, failed = _slice(name, chosen[name])
            entry = log.setdefault(name, {"cpu_seconds": 0, "executions": 0})
            entry["cpu_seconds"] = round(entry["cpu_seconds"] + seconds)
            entry["executions"] += executions
            write_json(LOG, dict(sorted(log.items())))
            faults += failed
            spent += seconds
            bar.update(round(seconds))
    return int(faults > 0)


def _log() -> dict[str, dict[str, int]]:
    return json.loads(LOG.read_text()) if LOG.is_file() else {}


def _slice(name: str, target: Target) -> tuple[float, int, bool]:
    """Fuzz one reader; return CPU seconds, executions, and whether it failed."""
    corpus = WORK / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    faults = WORK / "faults" / name
    faults.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = WORK / f"{name}.words"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in target.words))
    options = [
        str(corpus),
        *([str(KEPT / name)] if (KEPT / name).is_dir() else []),
        f"-max_total_time={SLICE}",
        f"-timeout={TIMEOUT}",
        f"-rss_limit_mb={MEMORY}",
        _longest(target),
        f"-artifact_prefix={faults}/",
        *([f"-dict={words}"] if target.words else []),
        "-print_final_stats=1",
        # One seed a slice, and never the same: the slices so far are its number.
        f"-seed={1 + len(list(corpus.iterdir()))}",
    ]
    before, started = _cpu(), time.monotonic()
    run = _run(name, options)
    counted = re.search(r"number_of_executed_units:\s*(\d+)", run.stderr)
    if run.returncode:
        print(f"\n{name}: {_reason(run.stderr)}; see {faults}", file=sys.stderr)
    seconds = max(_cpu() - before, 0.0) or time.monotonic() - started
    return seconds, int(counted[1]) if counted else 0, run.returncode != 0


def _longest(target: Target) -> str:
    return f"-max_len={max(LONGEST, 2 * max(map(len, target.seeds)))}"


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace('"', '\\"')


def _reason(text: str) -> str:
    lines = [
        line for line in text.splitlines() if re.match(r"\w*(Error|Exception)|==\d+== ?ERROR", line)
    ]
    return lines[0] if lines else "failed"


def _run(name: str, options: list[str]) -> subprocess.CompletedProcess[str]:
    paths = [str(HERE.parents[1]), str(HERE.parent)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "fuzzing.one", name, *options]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, errors="replace", check=False
    )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _keep(name: str, target: Target) -> None:
    """Merge what was found into the corpus of the tests, the smallest inputs alone."""
    place = KEPT / name
    with tempfile.TemporaryDirectory() as made:
        sources = [folder for folder in (WORK / "corpus" / name, place) if folder.is_dir()]
        _run(name, ["-merge=1", _longest(target), made, *map(str, sources)])
        found = sorted(Path(made).iterdir(), key=lambda path: (path.stat().st_size, path.name))
        place.mkdir(parents=True, exist_ok=True)
        for path in place.iterdir():
            path.unlink()
        for path in found[:40]:
            (place / path.name[:12]).write_bytes(path.read_bytes())
    print(f"{name}: {len(list(place.iterdir()))} inputs")


if __name__ == "__main__":
    sys.exit(main())
