// oneDNN through its C++ API, version 2. Training is forward, backward with
// the gradients of input, weights and bias, and what a change of the weights
// makes necessary: their reorders into the layouts that oneDNN prefers, and
// the gradients' back. repack=0 leaves the reorders out.
#include "peer.hpp"
#include <cstring>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
using namespace dnnl;
using desc = memory::desc;
using tag = memory::format_tag;

static const engine cpu(engine::kind::cpu, 0);

static desc shape(memory::dims d, tag t) { return desc(d, memory::data_type::f32, t); }

static float *floats(const memory &m) { return static_cast<float *>(m.get_data_handle()); }

static memory filled(const desc &d, float scale) {
  memory m(d, cpu);
  fill(floats(m), d.get_size() / sizeof(float), scale);
  return m;
}

// The tensors of a primitive, but for weights and workspace.
static const int tensors[] = {
    DNNL_ARG_SRC_LAYER, DNNL_ARG_SRC_ITER, DNNL_ARG_SRC_ITER_C, DNNL_ARG_BIAS, DNNL_ARG_DST_LAYER, DNNL_ARG_DST_ITER, DNNL_ARG_DST_ITER_C,
    DNNL_ARG_DIFF_SRC_LAYER, DNNL_ARG_DIFF_SRC_ITER, DNNL_ARG_DIFF_SRC_ITER_C, DNNL_ARG_DIFF_DST_LAYER, DNNL_ARG_DIFF_DST_ITER, DNNL_ARG_DIFF_DST_ITER_C};
static const int weights[] = {DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_WEIGHTS_ITER};
static const int gradients[] = {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS};

// Reorder copies between layouts; equal ones need none.
struct Reorder {
  memory from, to;
  reorder copy;
  Reorder(memory from, memory to) : from(from), to(to), copy(from, to) {}
  void operator()(stream &s) {
    if (from.get_desc() != to.get_desc()) copy.execute(s, from, to);
  }
};

// Layer is one case: its primitives, buffers and reorders.
struct Layer {
  stream s{cpu};
  primitive forward, backward;
  std::unordered_map<int, memory> args; // of both, but for the weights
  std::unordered_map<int, memory> forwardArgs, backwardArgs;
  std::unordered_map<int, memory> own; // weights and their gradients as their owner has them
  std::vector<Reorder> pack, unpack;

  // bind makes the buffers that a primitive asks for.
  void bind(const primitive_desc_base &pd, std::unordered_map<int, memory> &all) {
    auto wanted = [&](int arg) { return pd.query_md(query::exec_arg_md, arg); };
    for (int arg : tensors)
      if (auto d = wanted(arg); !d.is_zero() && !args.count(arg)) args[arg] = filled(d, 0.1f);
    if (auto d = wanted(DNNL_ARG_WORKSPACE); !d.is_zero() && !args.count(DNNL_ARG_WORKSPACE)) args[DNNL_ARG_WORKSPACE] = memory(d, cpu);
    for (int arg : weights) {
      all[arg] = memory(wanted(arg), cpu);
      pack.emplace_back(own[arg], all[arg]);
    }
    for (int arg : gradients)
      if (auto d = wanted(arg); !d.is_zero()) {
        all[arg] = memory(d, cpu);
        if (own.count(arg)) unpack.emplace_back(all[arg], own[arg]);
      }
  }

  void infer() {
    forward.execute(s, forwardArgs);
    s.wait();
  }

  void train() {
    forward.execute(s, forwardArgs);
    for (int arg : gradients) std::memset(floats(backwardArgs[arg]), 0, backwardArgs[arg].get_desc().get_size()); // oneDNN adds to them
    backward.execute(s, backwardArgs);
    s.wait();
  }

  void reorders(std::vector<Reorder> &all) {
    for (auto &r : all) r(s);
    s.wait();
  }
};

// Shapes are the descriptors that a cell's primitives are made of.
struct Shapes {
  prop_kind kind;
  rnn_direction direction;
  desc x, h, c, wx, wh, b, y;
};

template <class Forward, class Backward> static void gru(Layer &l, const Shapes &d) {
  typename Forward::primitive_desc f({d.kind, d.direction, d.x, d.h, d.wx, d.wh, d.b, d.y, d.h}, cpu);
  l.forward = Forward(f);
  l.bind(f, l.forwardArgs);
  if (d.kind == prop_kind::forward_inference) return;
  typename Backward::primitive_desc b({prop_kind::backward, d.direction, d.x, d.h, d.wx, d.wh, d.b, d.y, d.h, d.x, d.h, d.wx, d.wh, d.b, d.y, d.h}, cpu, f);
  l.backward = Backward(b);
  l.bind(b, l.backwardArgs);
}

static void lstm(Layer &l, const Shapes &d) {
  lstm_forward::primitive_desc f({d.kind, d.direction, d.x, d.h, d.c, d.wx, d.wh, d.b, d.y, d.h, d.c}, cpu);
  l.forward = lstm_forward(f);
  l.bind(f, l.forwardArgs);
  if (d.kind == prop_kind::forward_inference) return;
  lstm_backward::primitive_desc b({prop_kind::backward, d.direction, d.x, d.h, d.c, d.wx, d.wh, d.b, d.y, d.h, d.c, d.x, d.h, d.c, d.wx, d.wh, d.b, d.y, d.h, d.c}, cpu, f);
  l.backward = lstm_backward(b);
  l.bind(b, l.backwardArgs);
}

static std::shared_ptr<Layer> make(const Case &c, prop_kind kind, bool states) {
  long T = c.number("T"), B = c.number("B"), H = c.number("H"), L = c.number("L", 1), D = c.number("D", 1);
  auto cell = c.text("cell");
  if (L > 1 && D > 1) throw Unsupported("layers above the first read X features, not two directions");
  long G = cell == "lstm" ? 4 : 3, biases = cell == "gru-after" ? 4 : G;
  auto l = std::make_shared<Layer>();
  auto plain = shape({L, D, H, G, H}, tag::ldigo), any = shape({L, D, H, G, H}, tag::any);
  for (int arg : weights) l->own[arg] = filled(plain, 0.05f);
  l->own[DNNL_ARG_DIFF_WEIGHTS_LAYER] = memory(plain, cpu);
  l->own[DNNL_ARG_DIFF_WEIGHTS_ITER] = memory(plain, cpu);
  Shapes d{kind, D > 1 ? rnn_direction::bidirectional_concat : rnn_direction::unidirectional_left2right,
           shape({T, B, H}, tag::tnc), {}, {}, any, any, shape({L, D, biases, H}, tag::ldgo), shape({T, B, D * H}, tag::tnc)};
  if (states) d.h = d.c = shape({L, D, B, H}, tag::ldnc);
  if (cell == "lstm") lstm(*l, d);
  else if (cell == "gru-after") gru<lbr_gru_forward, lbr_gru_backward>(*l, d);
  else if (cell == "gru-before") gru<gru_forward, gru_backward>(*l, d);
  else throw Unsupported("no such cell");
  for (auto all : {&l->forwardArgs, &l->backwardArgs}) all->insert(l->args.begin(), l->args.end());
  l->reorders(l->pack);
  return l;
}

// stepper runs one stream: the state after a step is that before the next.
static std::function<void()> stepper(std::shared_ptr<Layer> l) {
  return [=] {
    l->infer();
    for (auto [before, after] : {std::pair(DNNL_ARG_SRC_ITER, DNNL_ARG_DST_ITER), std::pair(DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C)})
      if (l->forwardArgs.count(before)) std::swap(l->forwardArgs[before], l->forwardArgs[after]);
  };
}

static Opened open(const Case &c) {
  if (c.task == "train") {
    auto l = make(c, prop_kind::forward_training, false);
    if (!c.number("repack", 1)) return {[=] { l->train(); }};
    return {[=] {
      l->reorders(l->pack);
      l->train();
      l->reorders(l->unpack);
    }};
  }
  if (!c.number("repack", 1)) throw Unsupported("only training repacks");
  if (c.task == "infer") {
    auto l = make(c, prop_kind::forward_inference, false);
    return {[=] { l->infer(); }};
  }
  if (c.task == "stream") return {stepper(make(c, prop_kind::forward_inference, true))};
  throw Unsupported("no such task");
}

int main() {
  auto v = dnnl_version();
  std::ostringstream name;
  name << "oneDNN " << v->major << '.' << v->minor << '.' << v->patch;
  return serve(name.str(), open);
}
