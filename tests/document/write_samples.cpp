#include <fstream>
#include <iostream>

#include "document/check.h"
#include "document/export.h"
#include "document/json.h"
#include "document/stage_values.h"
#include "sample.h"

// Writes every export of the sample documents into a folder, for validate_samples.py to hold
// against outside readers.
namespace {

using namespace prismvid;
using namespace prismvid::document;

void write_all(const Document& document, const ExportContext& context, const std::string& stem) {
  for (const char* name :
       {"json", "html", "vtt", "srt", "chapters", "ffmetadata", "csv", "edl", "otio"}) {
    std::ofstream file(stem + "." + name, std::ios::binary);
    file << export_document(document, parse_format(name), context);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  BuildInput input = sample_input();
  StageOutput shots = encode_shots({input.shots, input.markers});
  StageOutput objects = encode_objects(input.objects);
  StageOutput faces = encode_faces(input.faces);
  ExportContext context;
  context.picture = [&](const std::string& href) -> std::optional<std::vector<uint8_t>> {
    for (const auto& [stage, output] :
         {std::pair{"shots/", &shots}, {"objects/", &objects}, {"faces/", &faces}}) {
      for (const Blob& blob : output->blobs)
        if (href == stage + blob.name) return blob.bytes;
    }
    return std::nullopt;
  };
  const Document complete = build_document(input);
  for (const auto& breach : check_document(complete)) std::cerr << breach << "\n";
  write_all(complete, context, folder + "/complete");

  input.analysis.stages[2].status = StageStatus::kUnavailable;
  input.analysis.stages[2].cache_key.clear();
  input.analysis.stages[2].error =
      StageError{"model_missing",
                 "No object detector is installed: prismvid models install DETECTOR.onnx", false};
  input.objects.clear();
  input.analysis.warnings = {
      {"truncated", "The file ends in the middle of a frame; 12.0 s were analysed."}};
  input.transcript = Transcript{"en",
                                TranscriptOrigin::kSidecar,
                                {{{500'000, 2'000'000}, "Fish & <chips>\n\nplease", "Anna"}}};
  write_all(build_document(input), context, folder + "/partial");
  return check_document(build_document(input)).empty() ? 0 : 1;
}
