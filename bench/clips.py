"""Clips for the benchmarks: moving pictures with cuts and film grain, faces, signs and subtitles, made with ffmpeg."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build/bench/clips"
PORTRAIT = ROOT / "tests/vision/faces/data/astronaut.jpg"
SIGNS = [("CHANNEL 7", 0.04, 0.05), ("LIVE", 0.88, 0.05), ("Main Street 12", 0.04, 0.14), ("EXIT", 0.88, 0.14)]


def run(command):
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def scenes(width, height, rate):
    """Five of ffmpeg's moving pictures; colours that are not given would be random."""
    size, small = f"size={width}x{height}:rate={rate}", f"size=480x270:rate={rate}"
    return [f"mandelbrot={size}", f"testsrc2={size}", f"gradients={size}:speed=0.05:seed=1:c0=0x305070:c1=0xc0a060",
            f"life={small}:mold=10:ratio=0.1:random_seed=1:death_color=#C83232:life_color=#00ff00,scale={width}x{height}",
            f"cellauto={small}:rule=110:random_seed=1,scale={width}x{height}"]


def draw_text(text, height, x, y, extra=""):
    return f",drawtext=font=DejaVu Sans:text='{text}':fontsize={height // 22}:x={x}:y={y}{extra}"


def half_minute(width, height, rate, bitrate):
    """30 s: a cut every 6 s, three faces that move, four signs and a subtitle of two lines that changes every 3 s."""
    path = FOLDER / f"half_minute_{height}p{rate}.mp4"
    if path.exists():
        return path
    FOLDER.mkdir(parents=True, exist_ok=True)
    inputs, graph = [], ""
    pictures = scenes(width, height, rate)
    for i, picture in enumerate(pictures):
        inputs += ["-f", "lavfi", "-t", "6", "-i", picture]
        graph += f"[{i}]format=yuv420p,setsar=1[s{i}];"
    inputs += ["-loop", "1", "-framerate", str(rate), "-t", "30", "-i", str(PORTRAIT)]
    graph += "".join(f"[s{i}]" for i in range(len(pictures))) + f"concat=n={len(pictures)},noise=alls=8:allf=t:all_seed=1[v];"
    # The face is a quarter of the picture high: what dlib's detector finds at its default size.
    graph += f"[{len(pictures)}]crop=170:170:55:30,scale=-2:{height * 47 // 100},split=3[p0][p1][p2];[v]"
    for i in range(3):
        x, y = width * (6 + 31 * i) // 100, height * 24 // 100
        graph += f"[p{i}]overlay=x='{x}+{width // 50}*sin({i + 1}*t)':y={y}[o{i}];[o{i}]"
    graph += "null"
    for text, x, y in SIGNS:
        graph += draw_text(text, height, f"w*{x}", f"h*{y}", ":fontcolor=yellow:box=1:boxcolor=black")
    for i in range(10):
        when = f":fontcolor=white:borderw=3:enable='between(t,{3 * i},{3 * i + 2.8})'"
        graph += draw_text(f"Subtitle number {i} of the film", height, "(w-tw)/2", "h*0.84", when)
        graph += draw_text(f"and its second line {i * 37}", height, "(w-tw)/2", "h*0.91", when)
    run(["ffmpeg", "-y", *inputs, "-filter_complex", graph + "[out]", "-map", "[out]", "-t", "30", "-c:v", "libx264", "-preset", "veryfast",
         "-b:v", bitrate, "-maxrate", bitrate, "-bufsize", "20M", "-g", str(2 * rate), "-pix_fmt", "yuv420p", str(path)])
    return path


def repeated(piece, times):
    """The piece so many times over, its packets copied."""
    path = piece.with_name(f"{piece.stem}_x{times}.mp4")
    if not path.exists():
        listing = path.with_suffix(".txt")
        listing.write_text(f"file '{piece}'\n" * times)
        run(["ffmpeg", "-y", "-f", "concat", "-safe", "0", "-i", str(listing), "-c", "copy", str(path)])
    return path
