#include <algorithm>
#include <memory>

#include "core/error.h"
#include "nn/kernels/attention.h"

namespace prismvid::nn::kernels {
namespace {

void check_inputs(const QuantizedAttentionInputs& in, const Heads& out) {
  const ConstHeads& q = in.queries;
  check(q.head_dim > 0 && q.head_dim <= kMaxHeadDim, ErrorCode::kInvalidArgument,
        "attention: head sizes are at most ", kMaxHeadDim, ", got ", q.head_dim);
  for (const ConstQuantizedHeads* heads : {&in.keys, &in.values}) {
    const QuantizedRows& rows = heads->rows;
    check(heads->head_dim == q.head_dim && heads->heads > 0 && q.heads % heads->heads == 0 &&
              heads->heads == in.keys.heads && heads->tokens == in.keys.tokens,
          ErrorCode::kInvalidArgument, "attention: queries, keys and values do not fit");
    check((rows.bits == 4 || rows.bits == 8) && rows.group_size > 0 && rows.group_size % 16 == 0 &&
              q.head_dim % rows.group_size == 0,
          ErrorCode::kInvalidArgument, "attention: keys and values have 4 or 8 bits in groups of ",
          "16, 32 ... that divide the head size of ", q.head_dim, ", got ", rows.bits,
          " bits in groups of ", rows.group_size);
  }
  check(out.head_dim == q.head_dim && out.heads == q.heads && out.tokens == q.tokens &&
            out.type == q.type,
        ErrorCode::kInvalidArgument, "attention: queries and output do not fit");
  check(in.keys.tokens > 0 && (!in.causal || in.keys.tokens >= q.tokens),
        ErrorCode::kInvalidArgument, "attention: ", q.tokens, " queries see ", in.keys.tokens,
        " keys");
}

QuantizedRows rows_of(const ConstQuantizedHeads& heads, int head) {
  QuantizedRows rows = heads.rows;
  const std::size_t skipped = head * heads.scale_head_stride * byte_size(rows.type);
  rows.words += head * heads.word_head_stride;
  rows.scales = static_cast<const char*>(rows.scales) + skipped;
  rows.biases = static_cast<const char*>(rows.biases) + skipped;
  return rows;
}

/// Few rows: each task has some of the query heads that share a head of keys.
void attend_few(const Context& context, const QuantizedAttentionInputs& in, const Heads& out) {
  const ConstHeads& q = in.queries;
  const int shared = q.heads / in.keys.heads, heads = std::min(shared, kMaxQueryRows / q.tokens),
            parts = (shared + heads - 1) / heads;
  context.pool.parallel_for(in.keys.heads * parts, [&](int task) {
    const int key_head = task / parts, in_group = task % parts * heads;
    const int head = key_head * shared + in_group;
    AttendRowsArguments arguments{.queries = at(q, head, 0),
                                  .type = q.type,
                                  .query_head_stride = q.head_stride,
                                  .query_stride = q.token_stride,
                                  .heads = std::min(heads, shared - in_group),
                                  .query_count = q.tokens,
                                  .head_dim = q.head_dim,
                                  .keys = nullptr,
                                  .values = nullptr,
                                  .key_stride = 0,
                                  .value_stride = 0,
                                  .key_count = in.keys.tokens,
                                  .causal = in.causal,
                                  .scale = in.scale,
                                  .output = at(out, head, 0),
                                  .output_head_stride = out.head_stride,
                                  .output_stride = out.token_stride,
                                  .quantized_keys = rows_of(in.keys, key_head),
                                  .quantized_values = rows_of(in.values, key_head)};
    context.table.attend_rows(arguments);
  });
}

/// Many rows: one head of keys and values after the other as plain numbers.
void attend_many(const Context& context, const QuantizedAttentionInputs& in, const Heads& out) {
  constexpr int kTokensOfTask = 256;
  const ConstHeads& q = in.queries;
  const int tokens = in.keys.tokens, shared = q.heads / in.keys.heads,
            tasks = (tokens + kTokensOfTask - 1) / kTokensOfTask;
  const auto stride = static_cast<std::size_t>(q.head_dim);
  const std::size_t bytes = tokens * stride * byte_size(q.type);
  const auto memory = std::make_unique_for_overwrite<char[]>(2 * bytes);
  const ConstHeads keys{memory.get(), q.type, 1, tokens, q.head_dim, 0, stride};
  const ConstHeads values{memory.get() + bytes, q.type, 1, tokens, q.head_dim, 0, stride};
  for (int head = 0; head < in.keys.heads; ++head) {
    context.pool.parallel_for(2 * tasks, [&](int task) {
      const bool is_key = task < tasks;
      const int first = task % tasks * kTokensOfTask;
      char* to = memory.get() + (is_key ? 0 : bytes) + first * stride * byte_size(q.type);
      context.table.expand({rows_of(is_key ? in.keys : in.values, head), first,
                            std::min(kTokensOfTask, tokens - first), q.head_dim, to, q.type,
                            stride});
    });
    ConstHeads queries = q;
    queries.data = at(q, head * shared, 0);
    Heads output = out;
    output.data = at(out, head * shared, 0);
    queries.heads = output.heads = shared;
    attention(context, {queries, keys, values, in.scale, in.causal}, output);
  }
}

}  // namespace

void quantized_attention(const Context& context, const QuantizedAttentionInputs& inputs,
                         const Heads& output) {
  check_inputs(inputs, output);
  if (inputs.queries.tokens <= kMaxQueryRows)
    attend_few(context, inputs, output);
  else
    attend_many(context, inputs, output);
}

}  // namespace prismvid::nn::kernels
