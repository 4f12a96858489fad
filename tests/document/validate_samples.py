"""Holds the sample exports against outside readers: JSON Schema and OpenTimelineIO.

usage: validate_samples.py WRITE_SAMPLES SCHEMA FOLDER. Exits 77 (skipped) where a reader is not installed.
"""
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: pip install jsonschema opentimelineio")
    sys.exit(77)

writer, schema_path, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)
subprocess.run([writer, str(folder)], check=True)

schema = json.loads(pathlib.Path(schema_path).read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
example = json.loads((pathlib.Path(schema_path).parent / "example.json").read_text())
documents = {"example": example}
for name in ("complete", "partial"):
    documents[name] = json.loads((folder / f"{name}.json").read_text())
for name, document in documents.items():
    errors = [f"{name}: {e.json_path}: {e.message}" for e in validator.iter_errors(document)]
    if errors:
        sys.exit("\n".join(errors))
broken = json.loads(json.dumps(documents["complete"]))
broken["shots"][0]["start"] = -1
assert not validator.is_valid(broken), "the schema let a negative time pass"
print("JSON Schema: valid")

try:
    import opentimelineio as otio
except ImportError:
    print("OpenTimelineIO is not installed: not checked")
    sys.exit(0)
timeline = otio.adapters.read_from_string((folder / "complete.otio").read_text(), "otio_json")
clips = list(timeline.find_clips())
assert len(clips) == 3, clips
frames = [(int(c.source_range.start_time.value), int(c.source_range.duration.value)) for c in clips]
assert frames == [(0, 120), (120, 120), (240, 120)], frames
assert abs(timeline.duration().rate - 30000 / 1001) < 1e-9
assert timeline.duration().value == 360
assert len(timeline.tracks.markers) == 3
print("OpenTimelineIO: read")
