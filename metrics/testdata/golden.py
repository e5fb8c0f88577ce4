"""Scores the cases of a file with another program, and writes its numbers there.

    python metrics/testdata/golden.py metrics/testdata/iob.txt perl conlleval
    python metrics/testdata/golden.py metrics/testdata/bioes.txt python conlleval.py

The first program is conlleval of CoNLL-2000, version 2004-01-26, under Perl 5.
It knows no S. The second is its port with IOBES, github.com/spyysalo/conlleval.py
at commit 6a21dde652a1ddac7782fb70ef09c936f4604b99, under Python 3 with one change: in metrics(), the "+" between
two keys() is "|".

A case is a line "case NAME", its tags after "want" and "got", with "|" between
sentences, and what was found: "all", words, spans that are so, said, and right,
accuracy, precision, recall and F1 in percent; "kind", its name in quotes,
precision, recall, F1, spans said.
"""

import re
import subprocess
import sys

NUMBERS = r"precision: +([\d.]+)%; recall: +([\d.]+)%; FB1: +([\d.]+)"


def score(want, got, command):
    lines = []
    for w, g in zip(want, got, strict=True):
        assert (w == "|") == (g == "|"), (want, got)
        lines.append("" if w == "|" else f"word {w} {g}")
    out = subprocess.run(command, input="\n".join(lines) + "\n\n", capture_output=True, text=True, check=True).stdout
    counts = re.search(r"processed (\d+) tokens with (\d+) phrases; found: (\d+) phrases; correct: (\d+)", out).groups()
    rates = re.search(r"accuracy: +([\d.]+)%; " + NUMBERS, out)
    yield " ".join(["all", *counts, *(rates.groups() if rates else ["0.00"] * 4)])
    kinds = {}
    for name, *numbers in re.findall(r"^ *(\S*): " + NUMBERS + r" +(\d+)$", out, re.M):
        kinds[name] = numbers
    for name, numbers in sorted(kinds.items()):
        yield f'kind "{name}" ' + " ".join(numbers)


def main(path, command):
    lines, want = [], None
    with open(path) as f:
        for line in f.read().splitlines():
            word, *tags = line.split() or [""]
            if word in ("all", "kind"):
                continue
            lines.append(line)
            if word == "want":
                want = tags
            elif word == "got":
                lines.extend(score(want, tags, command))
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")


main(sys.argv[1], sys.argv[2:])
