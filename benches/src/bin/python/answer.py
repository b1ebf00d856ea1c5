"""The question of the benchmark, asked from Python: `answer.py REPOSITORY CACHE`, then `cold` or `warm`, a line each.

Answers with a line of the seconds that it took and the length of the JSON, and the JSON.
"""

import sys
import time

import infraflow


def answer(folder: str, cache: infraflow.CatalogCache) -> tuple[float, bytes]:
    begun = time.perf_counter()
    repository = infraflow.Repository(folder)
    changes = infraflow.detect(repository, "main", "feature")
    base, head = cache.ends(repository, changes.merge_base, changes.head)
    impact = infraflow.impact(changes, base, head)
    json = impact.to_json()
    return time.perf_counter() - begun, json.encode()


caches = {"cold": infraflow.CatalogCache.none(), "warm": infraflow.CatalogCache.in_folder(sys.argv[2])}
for line in sys.stdin:
    seconds, json = answer(sys.argv[1], caches[line.strip()])
    sys.stdout.buffer.write(b"%r %d\n%b" % (seconds, len(json), json))
    sys.stdout.buffer.flush()
