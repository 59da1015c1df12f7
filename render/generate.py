"""Render a scene to a dataset.

    python render/generate.py --config scenes/plate.yaml
    blender -b -P render/generate.py -- --config scenes/plate.yaml

Heavy imports happen inside functions: `--help` and `--dry-run` need neither bpy nor Blender.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:
    # Run as a script: this folder gives way to the project's, and Blender's Python to its packages.
    sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent]
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from render import packages

    complaint = packages.provide()
    if complaint:
        print(f"generate: error: {complaint}", file=sys.stderr)
        sys.stderr.flush()
        os._exit(2)

from render import workers as pool
from stainless.cli import Parser
from stainless.command_line import dotted, print_keys
from stainless.errors import InputError, explain, guarded

if TYPE_CHECKING:
    from render.scene import Scene

#: Options that stand for the scene's key of the same name.
SHORT = ("part", "samples", "seed", "scale")


def parser(name: str) -> Parser:
    """Return the command line without the scene's dotted keys."""
    options = Parser(
        prog=name,
        description="Render a scene to a dataset in the layout of MVTec AD or MVTec LOCO AD. Any "
        "key of the scene can be given as well, for example --lights.height_mm '[140, 150]'; "
        "--keys lists those of a part.",
        allow_abbrev=False,
    )
    options.add_argument("--config", type=Path, help="the scene, a YAML file")
    options.add_argument("--output", type=Path, help="the dataset (default: datasets/<scene>)")
    options.add_argument("--part", metavar="NAME", help="the kind of part (default: the scene's)")
    options.add_argument("--samples", metavar="N", help="how many realisations of the part")
    options.add_argument("--seed", metavar="N", help="of everything that is drawn")
    options.add_argument("--scale", metavar="S", help="resolution factor of the pictures")
    options.add_argument("--workers", metavar="N", default="1", help="processes (default: 1)")
    options.add_argument("--preview", action="store_true", help="a small contact sheet only")
    options.add_argument(
        "--dry-run", action="store_true", help="write the plan as JSON and render nothing"
    )
    options.add_argument(
        "--keys",
        action="store_true",
        help="list the scene's keys, what they mean and their defaults",
    )
    # Tells other programs, as JSON, whether the output is this dataset, and whole.
    options.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--shard", help=argparse.SUPPRESS)
    options.add_argument("--report", type=int, help=argparse.SUPPRESS)
    return options


def main(argv: list[str] | None = None) -> int:
    """Run as a script; returns the exit code."""
    if argv is None:
        argv = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    return guarded(lambda: run(argv, "generate"), "generate")


def run(argv: list[str], name: str = "stainless render") -> int:
    """Run the command.

    Args:
        argv: the rest of its line.
        name: how it was called.

    Returns:
        The exit code.
    """
    options, rest = parser(name).parse_known_args(argv)
    if options.shard is not None:
        pool.die_with_parent(options.report)
    given = [(name, getattr(options, name)) for name in SHORT]
    overrides = [(name, value) for name, value in given if value is not None] + dotted(rest)
    if options.keys:
        return _keys(options.config, overrides)
    if options.config is None:
        raise InputError("--config: missing, expected the scene's YAML file")
    from render.scene import read_scene

    scene = read_scene(options.config, overrides)
    output = options.output or Path("datasets") / options.config.stem
    if not options.workers.isdecimal() or not 1 <= int(options.workers) <= 256:
        raise InputError(f"--workers: {options.workers}, expected 1 to 256")
    workers = int(options.workers)
    if options.check:
        return _check(scene, output)
    if options.dry_run:
        return _dry_run(scene, output)
    if options.preview:
        return _preview(scene, output)
    if options.shard is not None:
        return _work(scene, output, options.shard, options.report, workers)
    return _render(scene, output, workers, argv)


def _keys(config: Path | None, overrides: list[tuple[str, str]]) -> int:
    """List the keys of a scene, or of the part that is asked for."""
    from render.scene import read_scene, schema

    try:
        kind = schema(dict(overrides)) if config is None else type(read_scene(config, overrides))
    except ValueError as error:
        raise error if isinstance(error, InputError) else InputError(f"--{error}") from None
    print_keys(kind)
    return 0


def _check(scene: Scene, output: Path) -> int:
    """Print, as JSON, in what a dataset differs from a scene, and whether it is complete."""
    from render import layout, manifest

    own = output / layout.SCENE
    differs = manifest.difference(scene, own) if own.exists() else None
    complete = own.exists() and manifest.is_complete(scene, output)
    print(json.dumps({"differs": differs, "complete": complete}))
    return 0


def _dry_run(scene: Scene, output: Path) -> int:
    from render import layout, manifest
    from render.estimate import cpu_seconds
    from render.plan import picture_count, plan_to_json
    from stainless.files import json_text

    manifest.check_owner(scene, output)
    manifest.own_files(output).write_text(layout.PLAN, json_text(plan_to_json(scene)))
    print(f"{output / layout.PLAN}: {_counted(scene.samples, picture_count(scene))}")
    minutes = cpu_seconds(scene) / 60
    time = f"{minutes:.1f} min" if minutes < 60 else f"{minutes / 60:.1f} h"
    print(f"estimated CPU time: {time}")
    return 0


def _counted(samples: int, pictures: int) -> str:
    return f"{samples} sample{'s' * (samples != 1)}, {pictures} picture{'s' * (pictures != 1)}"


def _preview(scene: Scene, output: Path) -> int:
    from render import layout, manifest
    from render.overview import write_preview

    manifest.check_owner(scene, output)
    own = manifest.own_files(output)
    own.require([layout.PREVIEW])
    print(write_preview(scene, own))
    return 0


def _events(
    scene: Scene, output: Path, samples: list[int], renderer: dict[str, Any], threads: int
) -> Iterator[Any]:
    """Yield None after every picture and the manifest entry after every sample."""
    from render.export import produce_sample

    for index in samples:
        yield from produce_sample(scene, index, output, renderer, threads)


def _work(scene: Scene, output: Path, shard: str, report: int, workers: int) -> int:
    """Be one of several workers."""
    from render.export import renderer_identity

    samples = [int(index) for index in shard.split(",") if index]
    threads = max(1, (os.cpu_count() or 1) // workers)
    try:
        for event in _events(scene, output, samples, renderer_identity(), threads):
            pool.report(report, event)
    except (InputError, OSError) as error:
        line = explain(error)
        if line is None:
            raise
        # Whatever stops several workers at once is reported once, by the parent.
        pool.report(report, {"error": line})
    return 0


def _render(scene: Scene, output: Path, workers: int, argv: list[str]) -> int:
    from tqdm import tqdm

    from render import manifest
    from render.export import renderer_identity
    from render.overview import write_contact_sheet
    from render.plan import picture_count

    renderer = renderer_identity()
    manifest.check(scene, output, renderer)
    with pool.exclusive(output) as lock:
        ledger, missing = manifest.prepare(scene, output, renderer)
        if workers > 1 and len(missing) > 1:
            events = pool.run(argv, min(workers, len(missing)), missing, lock)
        else:
            events = _events(scene, output, missing, renderer, os.cpu_count() or 1)
        total = picture_count(scene, missing)
        with tqdm(total=total, desc="render", unit="picture", disable=not total) as progress:
            for event in events:
                if event is None:
                    progress.update()
                else:
                    ledger.add(event)
        ledger.rewrite()
        ledger.write_groups(scene)
        sheet = write_contact_sheet(scene, output)
    done = ledger.entries
    print(f"{output}: {_counted(len(done), picture_count(scene, done))}")
    print(f"contact sheet: {sheet}")
    return 0


if __name__ == "__main__":
    # Blender goes on after an exception, SystemExit included, and quits with 0.
    code = 1
    try:
        code = main()
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
