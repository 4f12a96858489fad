#include "search/sentence_embedder.h"

#include "core/error.h"
#include "vision/models/manifest_fields.h"

namespace prismvid::search {

SentenceEmbedder::SentenceEmbedder(const vision::ModelManifest& manifest, int threads,
                                   vision::Precision precision)
    : tokenizer_(manifest.path(2)),
      network_(vision::load_network(manifest.path(0), {precision, threads, {}})) {
  const vision::ManifestFields fields(manifest);
  dimensions_ = fields.required_number<size_t>("dimensions", 1, 4096);
  most_tokens_ = fields.required_number<size_t>("most_tokens", 3, 4096);
  check(network_->input_names().size() == 1 && network_->output_names().size() == 1,
        ErrorCode::kModel, "model '", manifest.id, "' does not turn token ids into one vector");
}

std::vector<float> SentenceEmbedder::embed(std::string_view sentence) {
  const std::vector<int64_t> ids = tokenizer_.encode(sentence, most_tokens_);
  const std::vector<float> input(ids.begin(), ids.end());
  const vision::TensorView tokens{{1, static_cast<int64_t>(ids.size())}, input};
  std::vector<vision::Tensor> outputs = network_->run(std::span(&tokens, 1));
  check(outputs.front().data.size() == dimensions_, ErrorCode::kModel,
        "the model of sentences gave ", outputs.front().data.size(), " numbers, its manifest says ",
        dimensions_);
  return std::move(outputs.front().data);
}

std::string SentenceEmbedder::space_of(const vision::ModelManifest& manifest) {
  return manifest.id + "@" + manifest.content_hash().substr(0, 12);
}

}  // namespace prismvid::search
