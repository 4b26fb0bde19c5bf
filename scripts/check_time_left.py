#!/usr/bin/env python3
"""Holds the time left that a run shows against the time that it then takes.

usage: check_time_left.py PATH-TO-gpt2-bench [OPTION-OF-all...]

Runs `gpt2-bench all` with these options in a pseudo terminal, and samples its line of progress each second. Without any
options it is the run of the README's first command, on the default model. A model that has to be generated is, before the
run, so that the run does not take longer for it. From 20 % of the run on, each time left must be within 35 % of what was
left in truth, or within two seconds: it is shown in whole seconds. One sample in ten may be off: other programs take the
machine's time, and nobody can tell beforehand. The time may only fall, but where the line says why it rose. Prints the
samples; exits 0 where all this holds, else 1; 5 where the run's own record warns that other programs used its cores: then
the samples are shown and not judged.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pseudo_terminal

SHARE, TOLERANCE, SLACK, OFF = 0.20, 0.35, 2.0, 0.10
LINE = re.compile(r"\r\x1b\[K([^\r\n]*)")
LEFT = re.compile(r"[█░]\s+(\d+) %\s+(\d+):(\d\d) left(?: \(\+(\d+):(\d\d): ([^)]*)\)?)?\s*(.*)")


def value(options, name):
    """The value of an option, as `--name VALUE` or `--name=VALUE`; None where it is not given."""
    for place, word in enumerate(options):
        if word == name and place + 1 < len(options):
            return options[place + 1]
        if word.startswith(name + "="):
            return word[len(name) + 1 :]
    return None


def load_once(bench, model, folder):
    words = ["--model", model] if model else []
    subprocess.run(
        [bench, "logits", "--ids", "1", "--last", "--quiet", *words, "--out", f"{folder}/logits.npy"], check=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__.split("\n")[2])
    bench, options = sys.argv[1], sys.argv[2:]
    begin = 0.0
    samples = []  # (seconds since the begin, seconds left, whether it says that it rose, the line)

    def seen(text):
        passed = pseudo_terminal.now() - begin
        if samples and passed < samples[-1][0] + 1:
            return
        lines = LINE.findall(text)
        found = LEFT.search(lines[-1]) if lines else None
        if found:
            minutes, seconds = int(found[2]), int(found[3])
            samples.append((passed, 60 * minutes + seconds, found[6] is not None, lines[-1]))

    with tempfile.TemporaryDirectory() as folder:
        load_once(bench, value(options, "--model"), folder)
        out = value(options, "--out") or f"{folder}/out"
        if not value(options, "--out"):
            options = [*options, "--out", out]
        begin = pseudo_terminal.now()
        code, text = pseudo_terminal.run([bench, "all", *options], columns=120, seen=seen)
        whole = pseudo_terminal.now() - begin
        record = Path(out) / "record.json"
        findings = json.loads(record.read_text()).get("findings") or [] if code == 0 else []
    if code != 0 or not samples:
        sys.exit(f"all {' '.join(options)} ended with {code} and {len(samples)} samples:\n{text[-2000:]}")

    wrong = 0
    rises = 0
    judged = 0
    largest = 0.0
    last = None
    for passed, left, rose, line in samples:
        truth = whole - passed
        error = (left - truth) / truth
        verdict = ""
        if passed >= SHARE * whole:
            judged += 1
            largest = max(largest, abs(error)) if abs(left - truth) > SLACK else largest
            if abs(left - truth) > max(TOLERANCE * truth, SLACK):
                verdict = "WRONG"
                wrong += 1
        if last is not None and left > last and not rose:
            verdict += " ROSE"
            rises += 1
        last = left
        print(f"{passed:7.1f} s  left {left:4d} s  truth {truth:6.1f} s  {100 * error:+6.0f} %  {verdict:6}  {line}")
    print(
        f"{whole:.1f} s in all; of {len(samples)} samples {judged} were judged: {wrong} wrong, the farthest off by "
        f"{100 * largest:.0f} %, and {rises} rose without a word")
    disturbed = [
        finding["text"] for finding in findings
        if finding["severity"] == "warning" and finding["check"] in ("load by others", "steal")]
    if disturbed:
        print(f"not judged: {'; '.join(disturbed)}")
        sys.exit(5)
    sys.exit(1 if rises or wrong > OFF * judged else 0)


main()
