"""Makes tests/vision/text/golden: pictures with text and what rapidocr reads in them.

usage: python tools/make_text_golden.py     (needs rapidocr, onnxruntime, Pillow and the fonts DejaVu and Noto CJK)
"""
import json
import pathlib

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rapidocr import RapidOCR

GOLDEN = pathlib.Path(__file__).parent.parent / "tests/vision/text/golden"
LATIN = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
BOLD = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
CJK = "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"


def background(width, height, seed):
    random = np.random.default_rng(seed)
    coarse = random.integers(30, 200, (9, 16, 3)).astype(np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.BICUBIC)


def outlined(picture, position, text, font, size, **options):
    ImageDraw.Draw(picture).text(position, text, font=ImageFont.truetype(font, size), fill="white",
                                 stroke_width=max(1, size // 14), stroke_fill="black", **options)


def turned(picture, position, text, font, size, degrees):
    sign = Image.new("RGBA", (int(len(text) * size * 0.75) + 20, size * 2), (0, 0, 0, 0))
    ImageDraw.Draw(sign).text((10, size // 3), text, font=ImageFont.truetype(font, size), fill=(250, 240, 90, 255),
                              stroke_width=2, stroke_fill=(10, 10, 10, 255))
    sign = sign.crop(sign.getbbox()).rotate(degrees, expand=True, resample=Image.BICUBIC)
    picture.paste(sign, position, sign)


def subtitles():
    picture = background(1280, 720, 1)
    outlined(picture, (640, 560), "I never said she stole my money.", LATIN, 40, anchor="mt")
    outlined(picture, (640, 630), "Größere Übung für ältere Mädchen", LATIN, 40, anchor="mt")
    outlined(picture, (60, 60), "LIVE 12:45", BOLD, 34)
    outlined(picture, (640, 300), "我们明天早上八点出发去北京", CJK, 44, anchor="mt")
    outlined(picture, (900, 80), "東京 Tower 2026", CJK, 36)
    outlined(picture, (100, 420), "Exit 27B", LATIN, 26)
    return picture


def turned_lines():
    picture = background(960, 720, 2)
    turned(picture, (60, 60), "Bahnhofstraße 12", LATIN, 40, 15)
    turned(picture, (500, 80), "No Parking Today", LATIN, 40, -12)
    turned(picture, (100, 560), "Standing on its head", LATIN, 40, 180)
    turned(picture, (820, 300), "Sideways line", LATIN, 40, 90)
    for i, character in enumerate("禁止停车区域"):
        outlined(picture, (640, 330 + 52 * i), character, CJK, 46, anchor="mt")
    return picture


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    engine = RapidOCR(params={"Global.log_level": "error"})
    golden = {}
    for name, make in (("subtitles", subtitles), ("turned", turned_lines)):
        file = GOLDEN / f"{name}.jpg"
        make().save(file, quality=92)
        result = engine(np.array(Image.open(file))[:, :, ::-1])
        golden[file.name] = [
            {"text": text, "confidence": round(float(score), 5), "quad": np.asarray(box).round(1).tolist()}
            for text, score, box in zip(result.txts, result.scores, result.boxes)]
    (GOLDEN / "rapidocr.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


main()
