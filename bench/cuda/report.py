"""Prints the table of docs/performance.md from what decode_bench and mlx_lm_baseline.py printed; with --update also between its marks.

  report.py FILE... [--update]     (each "== 8b 4 bit" line in a file starts the lines of that checkpoint)
"""
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).parents[2] / "docs/performance.md"
BEGIN, END = "<!-- made by bench/cuda/report.py -->", "<!-- end -->"
# Measured earlier on such a card: llama.cpp, mlx-lm; what is aimed at.
AIMS = {("decode", 1, 4): (322, 152, 700), ("decode", 1, 3): (184, 110, 780), ("decode", 1, 8): (238, 113, 430),
        ("decode", 1, 16): (None, 124, 245), ("decode", 32, 4): (None, None, 6000), ("prefill", 8192, 4): (11263, 7527, 30000)}


def rows(lines):
    bits = None
    for line in lines:
        if match := re.match(r"== 8b (\d+) bit", line):
            bits = int(match[1])
        elif match := re.match(r"decode, batch (\d+), from (\d+) tokens: ([\d.]+) ms a step, (\d+) tok/s, weights at ([\d.]+) TB/s", line):
            yield ("decode", int(match[1]), bits), f"decode, batch {match[1]}, after {match[2]} tokens", int(match[4]), f"{match[5]} TB/s"
        elif match := re.match(r"prefill (\d+) in chunks of (\d+): ([\d.]+) ms, (\d+) tok/s", line):
            flops = int(match[4]) * 2 * 7.57e9 * 1e-12  # of the products; attention and head not counted
            yield ("prefill", int(match[1]), bits), f"prefill {match[1]} in chunks of {match[2]}", int(match[4]), f"{flops:.0f} TFLOP/s"
        elif match := re.match(r"1080p picture .*all ([\d.]+) s", line):
            yield ("picture", 1, bits), "1080p picture, patches ready, and 100 tokens", float(match[1]), ""
        elif match := re.match(r"load: ([\d.]+) s, ([\d.]+) GB", line):
            yield ("load", 1, bits), f"load, files in the page cache ({match[2]} GB)", float(match[1]), ""


def table(lines):
    best, order = {}, []
    for key, what, value, roof in rows(lines):
        name = (key[2], what)
        if name not in best:
            order.append(name)
        lower = key[0] in ("load", "picture")
        if name not in best or (value < best[name][1] if lower else value > best[name][1]):
            best[name] = (key, value, roof)
    text = ["| 8B shapes | bits | PrismVid | reached | llama.cpp | mlx-lm | aim |", "|---|---|---|---|---|---|---|"]
    for bits, what in order:
        key, value, roof = best[(bits, what)]
        others = AIMS.get(key, (None, None, None))
        fixed = {("load", 3): 2.0, ("picture", 4): 0.5}.get((key[0], bits))
        aim = fixed if fixed else others[2]
        missed = aim is not None and (value > aim if fixed else value < aim)
        unit = "s" if key[0] in ("load", "picture") else "tok/s"
        cells = [what, "bf16" if bits == 16 else bits, f"{value:,} {unit}" + (" **misses**" if missed else ""), roof,
                 *(f"{x:,}" if x else "" for x in others[:2]), f"{aim:,}" if aim else ""]
        text.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(text)


def main():
    files = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    text = table([line for file in files for line in open(file).read().splitlines()])
    print(text)
    if "--update" in sys.argv:
        page = PAGE.read_text()
        head, rest = page.split(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}\n{text}\n{END}{rest.split(END, 1)[1]}")


main()
