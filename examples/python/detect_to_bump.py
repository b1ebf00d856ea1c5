#!/usr/bin/env python3
"""From a change in a modules repository to the edits of the live repository that bring it to an environment.

    python examples/python/detect_to_bump.py --repo modules --live-repo live \\
        --package git::https://git.example.com/acme/modules.git --environment dev

It plans: nothing is written, tagged or pushed. With --execute the edits are committed on a branch of the live
repository; the tags they name are made by `ModuleTags.execute`, which this script leaves to the release job.

Exits with 0 where it is done, 1 where a module cannot be released as it is, 2 where it could not be done.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime, timezone

import infraflow


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repo", default=".", metavar="DIR", help="the modules repository")
    parser.add_argument("--base", metavar="REVISION", help="where the change begins; by default the trunk")
    parser.add_argument("--head", default="HEAD", metavar="REVISION", help="where it ends")
    parser.add_argument("--live-repo", required=True, metavar="DIR", help="the live repository")
    parser.add_argument("--live", action="append", default=[], metavar="GLOB", help="directories of it that are units")
    parser.add_argument("--package", required=True, metavar="ADDRESS", help="where live fetches the modules from")
    parser.add_argument("--environment", metavar="NAME", help="bump only there; by default the first to be promoted to")
    parser.add_argument("--date", metavar="TIME", help="the date of the tags, for example 2026-01-31T12:00:00Z")
    parser.add_argument("--json", action="store_true", help="the bump plan as JSON on standard output, and nothing else")
    parser.add_argument("--out", metavar="FILE", help="write the bump plan to this file")
    parser.add_argument("--execute", metavar="BRANCH", help="commit the edits on this new branch of the live repository")
    return parser.parse_args()


def main() -> int:
    asked = options()
    now = asked.date or datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    release_bot = infraflow.Identity(name="infraflow", email="infraflow@localhost", when=now)

    def say(text: str) -> None:
        print(text, file=sys.stderr if asked.json else sys.stdout)

    # What changed, and what it touches.
    modules = infraflow.Repository(asked.repo)
    changes = infraflow.detect(modules, asked.base, asked.head)
    before, head = infraflow.CatalogCache.of_user().ends(modules, changes.merge_base, changes.head)
    affected = infraflow.impact(changes, before, head)
    say(f"{len(changes.changes)} files changed: {infraflow.nature(affected).nature}")
    for module in affected.modules:
        say(f"  {module.path}: {module.reasons[0].text}")
    for case in infraflow.select(affected, head).cases:
        say(f"  to be tested: {case.id}")

    # Which versions follow, and whom they reach before any tag exists.
    releases = infraflow.ModuleTags().plan(modules, head, tagger=release_bot, head=asked.head)
    for release in releases.releases:
        say(f"  to be tagged: {release.tag} ({release.bump}: {release.reasons[0].text})")
    for refused in releases.refused:
        say(f"  refused: {refused.module}: {refused.reasons[0].text}")

    # The edits of the live repository, byte for byte.
    live = infraflow.Repository(asked.live_repo)
    catalog = infraflow.Catalog.build(live, live=asked.live)
    for reached in infraflow.reach(affected, catalog, [asked.package]).reached:
        say(f"  reaches {reached.unit}, which is at {reached.pinned or 'no version'}")
    order = infraflow.Policy.read(live).promotion_order
    first = order[0][0] if order else None
    bumper = infraflow.TerraformBumper()
    targets = infraflow.BumpTarget.released(asked.package, releases)
    plan = bumper.plan(live, catalog, targets, environment=asked.environment or first)
    for edit in plan.edits:
        say(f"  {edit.path}:{edit.start}: {edit.from_} becomes {edit.to}")
    for skipped in plan.skipped:
        say(f"  {skipped.path}: {skipped.reasons[0].text}")

    if asked.out:
        with open(asked.out, "w", encoding="utf-8") as out:
            out.write(plan.to_json())
    if asked.json:
        sys.stdout.write(plan.to_json())
    if asked.execute and plan.edits:
        message = "chore: bump " + ", ".join(sorted({edit.to for edit in plan.edits})) + "\n"
        base = live.resolve("HEAD")
        done = bumper.execute(plan, live, base=base, branch=asked.execute, message=message, author=release_bot)
        say(f"committed {done.commit[:12]} on {done.branch}")
    return 1 if releases.refused else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except infraflow.InfraflowError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
