"""Prints the tables of docs/performance.md from what decode_bench, mlx_lm_baseline.py and llama-bench printed; with --update also between
their marks.

  report.py FILE... [--update]     (each "== 8b 4 bit" line in a file starts the lines of that checkpoint)
"""
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).parents[2] / "docs/performance.md"
END = "<!-- end -->"
MARKS = {"8b": "<!-- made by bench/cuda/report.py -->", "30b-a3b": "<!-- made by bench/cuda/report.py, 30b-a3b -->"}
TITLES = {"8b": "8B shapes", "30b-a3b": "30B-A3B shapes"}
NUMBERS = {"8b": 7.57e9, "30b-a3b": 2.73e9}  # of a token's products in all layers
# Measured earlier on such a card: llama.cpp, mlx-lm (what a file holds of them stands instead); what is aimed at.
AIMS = {("8b", "decode", 1, 4): (322, 152, 700), ("8b", "decode", 1, 3): (184, 110, 780), ("8b", "decode", 1, 8): (238, 113, 430),
        ("8b", "decode", 1, 16): (None, 124, 245), ("8b", "decode", 32, 4): (None, None, 6000),
        ("8b", "prefill", 8192, 4): (11263, 7527, 30000),
        ("30b-a3b", "decode", 1, 4): (None, None, 350), ("30b-a3b", "decode", 1, 5): (None, None, 350)}
AIMED_SECONDS = {("8b", "load", 1, 3): 2.0, ("8b", "picture", 1, 4): 0.5}


def rows(lines):
    """(shape, kind, number, bits), what, value, what was reached."""
    shape = bits = None
    for line in lines:
        if match := re.match(r"== (\S+) (\d+) bit", line):
            shape, bits = match[1], int(match[2])
        elif match := re.match(r"decode, batch (\d+), from (\d+) tokens: ([\d.]+) ms a step, (\d+) tok/s, weights at ([\d.]+) TB/s", line):
            # Several tokens go to experts of their own, so that more is read than one token's.
            roof = f"{match[5]} TB/s" if match[1] == "1" or shape == "8b" else ""
            yield (shape, "decode", int(match[1]), bits), f"decode, batch {match[1]}, after {match[2]} tokens", int(match[4]), roof
        elif match := re.match(r"decode (drawn|masked) with top-k (\d+) and top-p ([\d.]+), batch (\d+): ([\d.]+) ms a step, (\d+) tok/s", line):
            pool = f"top-k {match[2]}, " if match[2] != "0" else ""
            how = "under a mask, " if match[1] == "masked" else ""
            what = f"decode, batch {match[4]}, {how}drawn ({pool}top-p {match[3]})"
            yield (shape, "drawn", int(match[4]), bits), what, int(match[6]), ""
        elif match := re.match(r"decode by MLX's operations, from (\d+) tokens: ([\d.]+) ms a step, (\d+) tok/s", line):
            yield (shape, "mlx", 1, bits), "decode, batch 1, by MLX's own operations", int(match[3]), ""
        elif match := re.match(r"prefill (\d+) in chunks of (\d+): ([\d.]+) ms, (\d+) tok/s", line):
            flops = int(match[4]) * 2 * NUMBERS[shape] * 1e-12  # of the products; attention and head not counted
            yield (shape, "prefill", int(match[1]), bits), f"prefill {match[1]} in chunks of {match[2]}", int(match[4]), f"{flops:.0f} TFLOP/s"
        elif match := re.match(r"1080p picture .*all ([\d.]+) s", line):
            yield (shape, "picture", 1, bits), "1080p picture, patches ready, and 100 tokens", float(match[1]), ""
        elif match := re.match(r"load: ([\d.]+) s, ([\d.]+) GB", line):
            yield (shape, "load", 1, bits), f"load, files in the page cache ({match[2]} GB)", float(match[1]), ""


def take_peers(lines):
    """Puts what peers did in the same sitting in place of what is known of them; llama.cpp's Q4_0, Q3_K and Q8_0 stand beside 4, 3 and 8 bits."""
    def take(kind, number, bits, column, value):
        key = "8b", kind, number, bits
        row = list(AIMS.get(key, (None, None, None)))
        row[column] = round(float(value))
        AIMS[key] = tuple(row)

    for line in lines:
        if match := re.match(r"\| qwen3 8B Q([348])_[0K] .*\| +(tg128|pp8192) \| +([\d.]+)", line):
            take(*(("decode", 1) if match[2] == "tg128" else ("prefill", 8192)), int(match[1]), 0, match[3])
        elif match := re.match(r"mlx-lm (\d+) bit: decode (\d+) tok/s, prefill 8192 in chunks of 2048 (\d+) tok/s", line):
            take("decode", 1, int(match[1]), 1, match[2])
            take("prefill", 8192, int(match[1]), 1, match[3])


def table(found, shape):
    best = {}  # in the order of the files
    for key, what, value, roof in found:
        name, lower = (key[3], what), key[1] in ("load", "picture")
        if key[0] == shape and (name not in best or (value < best[name][1] if lower else value > best[name][1])):
            best[name] = (key, value, roof)
    text = [f"| {TITLES[shape]} | bits | PrismVid | reached | llama.cpp | mlx-lm | aim |", "|---|---|---|---|---|---|---|"]
    for (bits, what), (key, value, roof) in best.items():
        *others, aim = AIMS.get(key, (None, None, None))
        seconds = key[1] in ("load", "picture")
        aim = AIMED_SECONDS.get(key) if seconds else aim
        missed = aim is not None and (value > aim if seconds else value < aim)
        cells = [what, "bf16" if bits == 16 else bits, f"{value:,} {'s' if seconds else 'tok/s'}" + (" **misses**" if missed else ""), roof,
                 *(f"{x:,}" if x else "" for x in others), f"{aim:,}" if aim else ""]
        text.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(text)


def main():
    files = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    lines = [line for file in files for line in open(file).read().splitlines()]
    take_peers(lines)
    found = list(rows(lines))
    for shape in dict.fromkeys(key[0] for key, *_ in found):
        text = table(found, shape)
        print(text)
        if "--update" in sys.argv:
            page = PAGE.read_text()
            head, rest = page.split(MARKS[shape] + "\n")
            PAGE.write_text(f"{head}{MARKS[shape]}\n{text}\n{END}{rest.split(END, 1)[1]}")


main()
