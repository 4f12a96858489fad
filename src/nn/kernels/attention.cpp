#include "nn/kernels/attention.h"

#include <algorithm>

#include "core/error.h"
#include "nn/kernels/aligned_memory.h"

namespace prismvid::nn::kernels {
namespace {

void check_inputs(const AttentionInputs& in, const Heads& out) {
  const auto& [q, k, v, scale, causal, precision] = in;
  check(q.head_dim % 2 == 0 && q.head_dim > 0 && q.head_dim <= kMaxHeadDim,
        ErrorCode::kInvalidArgument, "attention: head sizes are even and at most ", kMaxHeadDim,
        ", got ", q.head_dim);
  check(k.head_dim == q.head_dim && v.head_dim == q.head_dim && out.head_dim == q.head_dim &&
            k.heads > 0 && q.heads % k.heads == 0 && v.heads == k.heads && out.heads == q.heads &&
            v.tokens == k.tokens && out.tokens == q.tokens,
        ErrorCode::kInvalidArgument, "attention: queries, keys, values and output do not fit");
  check(k.type == q.type && v.type == q.type && out.type == q.type, ErrorCode::kInvalidArgument,
        "attention: all numbers must be of one type");
  check(k.tokens > 0 && (!causal || k.tokens >= q.tokens), ErrorCode::kInvalidArgument,
        "attention: ", q.tokens, " queries see ", k.tokens, " keys");
}

/// Keys that the query `token` sees.
int seen(const AttentionInputs& in, int token) {
  return in.causal ? in.keys.tokens - in.queries.tokens + token + 1 : in.keys.tokens;
}

/// Queries [first, first + count) of the heads [head, head + heads), which share keys and values.
void attend_rows(const Context& context, const AttentionInputs& in, const Heads& out, int head,
                 int heads, int first, int count) {
  const auto& [q, k, v, scale, causal, precision] = in;
  const int key_head = head / (q.heads / k.heads);
  context.table.attend_rows({.queries = at(q, head, first),
                             .type = q.type,
                             .query_head_stride = q.head_stride,
                             .query_stride = q.token_stride,
                             .heads = heads,
                             .query_count = count,
                             .head_dim = q.head_dim,
                             .keys = at(k, key_head, 0),
                             .values = at(v, key_head, 0),
                             .key_stride = k.token_stride,
                             .value_stride = v.token_stride,
                             .key_count = seen(in, first + count - 1),
                             .causal = causal,
                             .scale = scale,
                             .output = at(out, head, first),
                             .output_head_stride = out.head_stride,
                             .output_stride = out.token_stride});
}

/// Few queries, or the definition: keys and values are read where they lie.
void attend_in_place(const Context& context, const AttentionInputs& in, const Heads& out) {
  const int shared = in.queries.heads / in.keys.heads;
  const int heads = std::min(shared, kMaxQueryRows), parts = (shared + heads - 1) / heads;
  context.pool.parallel_for(in.keys.heads * parts, [&](int task) {
    const int in_group = task % parts * heads;
    attend_heads(context, in, task / parts * shared + in_group, std::min(heads, shared - in_group),
                 out);
  });
}

/// All keys and values, packed once for all queries.
class PackedHeads {
 public:
  PackedHeads(const Context& context, const AttentionInputs& in, int kind)
      : head_bytes_(packed_head_bytes(in.keys.tokens, in.keys.head_dim)),
        memory_(allocate_scratch(2 * in.keys.heads * head_bytes_)),
        keys_(memory_.get()),
        values_(keys_ + in.keys.heads * head_bytes_) {
    context.pool.parallel_for(2 * in.keys.heads, [&](int task) {
      const bool is_key = task < in.keys.heads;
      const int head = is_key ? task : task - in.keys.heads;
      const ConstHeads& from = is_key ? in.keys : in.values;
      const auto pack = (is_key ? context.table.pack_keys : context.table.pack_values)[kind];
      pack({.input = at(from, head, 0),
            .input_type = from.type,
            .input_stride = from.token_stride,
            .tokens = from.tokens,
            .head_dim = from.head_dim,
            .packed = (is_key ? keys_ : values_) + head * head_bytes_});
    });
  }

  const std::uint8_t* keys(int head) const { return keys_ + head * head_bytes_; }
  const std::uint8_t* values(int head) const { return values_ + head * head_bytes_; }

 private:
  std::size_t head_bytes_;
  Scratch memory_;
  std::uint8_t *keys_, *values_;
};

/// Which of a level's functions multiply these numbers.
int kind_of(const KernelTable& table, const AttentionInputs& in) {
  const NumberType type = in.queries.type;
  if (type == NumberType::kBfloat16 && table.multiply_tiles) return 1;
  const bool has_many = in.keys.tokens > kKeysTogether;  // few are not worth their rounding
  if (in.precision == Precision::kInt8 && type != NumberType::kFloat32 && has_many &&
      table.attend_block[2])
    return 2;
  return type == NumberType::kBfloat16 ? 1 : 0;
}

void attend_packed(const Context& context, const AttentionInputs& in, const Heads& out, int kind) {
  const PackedHeads packed(context, in, kind);
  const auto& [q, k, v, scale, causal, precision] = in;
  const int shared = q.heads / k.heads;
  const int blocks = (q.tokens + kQueriesTogether - 1) / kQueriesTogether;
  context.pool.parallel_for(q.heads * blocks, [&](int task) {
    // A head's blocks follow each other, so that its keys stay in a cache; the longest first.
    const int head = task / blocks, first = (blocks - 1 - task % blocks) * kQueriesTogether;
    const int count = std::min(kQueriesTogether, q.tokens - first);
    context.table.attend_block[kind]({.queries = at(q, head, first),
                                      .type = q.type,
                                      .query_stride = q.token_stride,
                                      .query_count = count,
                                      .head_dim = q.head_dim,
                                      .keys = packed.keys(head / shared),
                                      .values = packed.values(head / shared),
                                      .key_count = seen(in, first + count - 1),
                                      .causal = causal,
                                      .scale = scale,
                                      .output = at(out, head, first),
                                      .output_stride = out.token_stride});
  });
}

}  // namespace

void attend_heads(const Context& context, const AttentionInputs& inputs, int head, int count,
                  const Heads& output) {
  const int heads = std::min(count, kMaxQueryRows), together = kMaxQueryRows / heads;
  for (int done = 0; done < count; done += heads)
    for (int first = 0; first < inputs.queries.tokens; first += together)
      attend_rows(context, inputs, output, head + done, std::min(heads, count - done), first,
                  std::min(together, inputs.queries.tokens - first));
}

void attention(const Context& context, const AttentionInputs& inputs, const Heads& output) {
  check_inputs(inputs, output);
  const int kind = kind_of(context.table, inputs);
  const int rows = inputs.queries.heads / inputs.keys.heads * inputs.queries.tokens;
  if (context.table.attend_block[kind] == nullptr || rows <= kMaxQueryRows)
    attend_in_place(context, inputs, output);
  else
    attend_packed(context, inputs, output, kind);
}

}  // namespace prismvid::nn::kernels
