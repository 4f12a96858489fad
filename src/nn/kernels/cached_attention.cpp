#include "nn/kernels/cached_attention.h"

#include <cstring>
#include <vector>

#include "core/error.h"

namespace prismvid::nn::kernels {
namespace {

void check_work(const CachedAttention& work, const Rows& out) {
  int tokens = 0;
  for (const auto& [count, keys, values] : work.parts) {
    tokens += count;
    check(count > 0 && keys.tokens >= count && values.tokens == keys.tokens &&
              values.heads == keys.heads && values.head_dim == keys.head_dim &&
              keys.heads == work.parts[0].keys.heads &&
              keys.head_dim == work.parts[0].keys.head_dim && keys.type == work.projected.type &&
              values.type == keys.type,
          ErrorCode::kInvalidArgument, "cached attention: keys and values do not fit");
  }
  check(tokens > 0, ErrorCode::kInvalidArgument, "cached attention: needs tokens");
  const int key_heads = work.parts[0].keys.heads, head_dim = work.parts[0].keys.head_dim;
  check(head_dim % 2 == 0 && head_dim <= kMaxHeadDim && key_heads > 0 &&
            work.heads % key_heads == 0 && work.projected.rows == tokens && out.rows == tokens &&
            work.projected.columns == (work.heads + 2 * key_heads) * head_dim &&
            out.columns == work.heads * head_dim && out.type == work.projected.type,
        ErrorCode::kInvalidArgument, "cached attention: projections and output do not fit ",
        work.heads, " heads of ", head_dim);
}

/// One head of keys of one part, and the queries that share it.
class SharedHead {
 public:
  SharedHead(const Context& context, const CachedAttention& work, const CachedPart& part,
             int first_row, int key_head)
      : context_(context),
        work_(work),
        part_(part),
        first_(first_row),
        head_(key_head),
        shared_(work.heads / part.keys.heads) {}

  void append() const {
    const int dim = part_.keys.head_dim, known = part_.keys.tokens - part_.tokens;
    const int keys = work_.heads + head_, values = keys + part_.keys.heads;
    for (int i = 0; i < part_.tokens; ++i) {
      turn(i, head_ * shared_, shared_, work_.query_norm, head(i, head_ * shared_));
      turn(i, keys, 1, work_.key_norm, at(part_.keys, head_, known + i));
      std::memcpy(at(part_.values, head_, known + i), head(i, values),
                  dim * byte_size(part_.values.type));
    }
  }

  void attend(const Rows& output) const {
    const Rows& rows = work_.projected;
    const int dim = part_.keys.head_dim;
    const ConstHeads queries = {head(0, 0),   rows.type, work_.heads,
                                part_.tokens, dim,       static_cast<std::size_t>(dim),
                                rows.stride};
    const Heads out = {at_row(output, first_),        output.type,  work_.heads, part_.tokens, dim,
                       static_cast<std::size_t>(dim), output.stride};
    attend_heads(context_, {queries, read(part_.keys), read(part_.values), work_.scale, true},
                 head_ * shared_, shared_, out);
  }

 private:
  static ConstHeads read(const Heads& heads) {
    return {heads.data,     heads.type,        heads.heads,       heads.tokens,
            heads.head_dim, heads.head_stride, heads.token_stride};
  }

  char* head(int token, int index) const {
    const Rows& rows = work_.projected;
    return static_cast<char*>(at_row(rows, first_ + token)) +
           std::size_t(index) * part_.keys.head_dim * byte_size(rows.type);
  }

  void turn(int token, int first, int heads, const NormWeights& norm, void* output) const {
    const int row = first_ + token, dim = part_.keys.head_dim;
    context_.table.rotate({.input = head(token, first),
                           .type = work_.projected.type,
                           .heads = heads,
                           .head_dim = dim,
                           .weight = norm.weight,
                           .weight_type = norm.type,
                           .epsilon = norm.epsilon,
                           .cos = work_.turns.cos + row * work_.turns.stride,
                           .sin = work_.turns.sin + row * work_.turns.stride,
                           .output = output,
                           .output_head_stride = static_cast<std::size_t>(dim)});
  }

  const Context& context_;
  const CachedAttention& work_;
  const CachedPart& part_;
  int first_, head_, shared_;
};

}  // namespace

void attend_cached(const Context& context, const CachedAttention& work, const Rows& output) {
  check_work(work, output);
  std::vector<int> first_rows;
  int rows = 0;
  for (const CachedPart& part : work.parts) {
    first_rows.push_back(rows);
    rows += part.tokens;
  }
  const int key_heads = work.parts[0].keys.heads;
  context.pool.parallel_for(static_cast<int>(work.parts.size()) * key_heads, [&](int task) {
    const int part = task / key_heads;
    const SharedHead head(context, work, work.parts[part], first_rows[part], task % key_heads);
    head.append();
    head.attend(output);
  });
}

}  // namespace prismvid::nn::kernels
