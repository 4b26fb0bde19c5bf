#!/usr/bin/env python3
"""Do the profiles of a record say where the time went, at little cost?

    check_profile.py RECORD…

Each RECORD is what `gpt2-bench profile --format json` wrote. Of every profile in it the phases and the waits must name
98 % of the wall time, and the probes must not have cost plainly more than 1 %: the lower end of the 95 % interval of the
median, by order statistics, over passes that ran with them and without. Ends with 1 where one does not hold.
"""

import json
import math
import statistics
import sys

COVERAGE = 0.98
COST = 0.01


def coverage(profile):
    named = sum(entry["nanoseconds"] for entry in profile["entries"] if entry["phase"] != "other")
    waited = sum(entry["waitNanoseconds"] for entry in profile["entries"])
    return (named + waited) / profile["wallNanoseconds"]


def cost(profile):
    """The median, and the lower end of its interval."""
    pairs = zip(profile["overhead"]["withNanoseconds"], profile["overhead"]["withoutNanoseconds"])
    ratios = sorted(probed / plain - 1 for probed, plain in pairs)
    rank = math.floor(len(ratios) / 2 - 0.98 * math.sqrt(len(ratios)))
    return statistics.median(ratios), ratios[rank] if rank >= 0 else -math.inf


def main():
    failed = False
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            profiles = json.load(file)["profiles"]
        for profile in profiles:
            named, (middle, least) = coverage(profile), cost(profile)
            wrong = [text for text, holds in (
                (f"below {COVERAGE:.0%}", named >= COVERAGE), (f"probes above {COST:.0%}", least <= COST)) if not holds]
            failed |= bool(wrong)
            print(f"{profile['variant']} {profile['stage']}: {named:.1%} has a name, the probes cost {middle:.2%}"
                  + f" (at least {least:.2%})" + "".join(f": {text}" for text in wrong))
    return 1 if failed or len(sys.argv) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
