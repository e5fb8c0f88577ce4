// ONNX Runtime through its C API, the library's path in the first argument.
// It runs a model of one LSTM or GRU node, written here as the protobuf
// message that ONNX is.
#include "onnxruntime_c_api.h"
#include "peer.hpp"
#include <dlfcn.h>
#include <memory>
#include <utility>

static const OrtApi *api;

static void check(OrtStatus *status) {
  if (!status) return;
  std::string message = api->GetErrorMessage(status);
  api->ReleaseStatus(status);
  throw std::runtime_error(message);
}

// Message is a protobuf message as it grows. The numbers of the fields are
// those of onnx.proto3.
struct Message {
  std::string bytes;

  void varint(uint64_t v) {
    for (; v >= 128; v >>= 7) bytes += char(v | 128);
    bytes += char(v);
  }
  Message &add(int field, int64_t v) {
    varint(field << 3);
    varint(v);
    return *this;
  }
  Message &add(int field, const std::string &v) {
    varint(field << 3 | 2);
    varint(v.size());
    bytes += v;
    return *this;
  }
  Message &add(int field, const Message &m) { return add(field, m.bytes); }
};

using Dims = std::vector<int64_t>;

static size_t elements(const Dims &dims) {
  size_t n = 1;
  for (auto d : dims) n *= d;
  return n;
}

static Message initializer(const std::string &name, const Dims &dims) { // a TensorProto
  std::vector<float> values(elements(dims));
  fill(values.data(), values.size(), 0.05f);
  Message m;
  for (auto d : dims) m.add(1, d);
  return m.add(2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT).add(8, name).add(9, std::string((const char *)values.data(), values.size() * sizeof(float)));
}

static Message value(const std::string &name, const Dims &dims) { // a ValueInfoProto
  Message shape;
  for (auto d : dims) shape.add(1, Message().add(1, d));
  Message tensor = Message().add(1, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT).add(2, shape);
  return Message().add(1, name).add(2, Message().add(1, tensor));
}

static Message attribute(const std::string &name, int64_t v) { return Message().add(1, name).add(3, v).add(20, 2); }

static Message attribute(const std::string &name, const std::string &v) { return Message().add(1, name).add(4, v).add(20, 3); }

// Tensor is an input or output of the model, and its buffer.
struct Tensor {
  std::string name;
  Dims dims;
  std::vector<float> data;
  OrtValue *value = nullptr;

  Tensor(std::string name, Dims dims, float scale) : name(name), dims(dims), data(elements(dims)) {
    fill(data.data(), data.size(), scale);
    OrtMemoryInfo *where;
    check(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &where));
    check(api->CreateTensorWithDataAsOrtValue(where, data.data(), data.size() * sizeof(float), dims.data(), dims.size(), ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &value));
    api->ReleaseMemoryInfo(where);
  }
  Tensor(Tensor &&t) : name(t.name), dims(t.dims), data(std::move(t.data)), value(std::exchange(t.value, nullptr)) {}
  ~Tensor() {
    if (value) api->ReleaseValue(value);
  }
};

// model is one node. Names of tensors that it leaves out are empty.
static std::string model(const Case &c, const std::vector<std::string> &inputs, const std::vector<std::string> &outputs, const std::vector<Tensor> &in, const std::vector<Tensor> &out) {
  long H = c.number("H"), X = c.number("X"), D = c.number("D", 1);
  bool lstm = c.text("cell") == "lstm";
  long G = lstm ? 4 : 3;
  Message node, graph;
  for (auto &name : inputs) node.add(1, name);
  for (auto &name : outputs) node.add(2, name);
  node.add(4, lstm ? "LSTM" : "GRU").add(5, attribute("hidden_size", H)).add(5, attribute("direction", D > 1 ? "bidirectional" : "forward"));
  if (!lstm) node.add(5, attribute("linear_before_reset", c.text("cell") == "gru-after"));
  graph.add(1, node).add(2, "layer");
  graph.add(5, initializer("W", {D, G * H, X})).add(5, initializer("R", {D, G * H, H})).add(5, initializer("B", {D, 2 * G * H}));
  for (auto &t : in) graph.add(11, value(t.name, t.dims));
  for (auto &t : out) graph.add(12, value(t.name, t.dims));
  const int version = 14; // of the operators
  return Message().add(1, 8).add(8, Message().add(1, "").add(2, version)).add(7, graph).bytes;
}

// Session is one case.
struct Session {
  OrtSession *session = nullptr;
  std::vector<Tensor> in, out;
  std::vector<const char *> inNames, outNames;
  std::vector<const OrtValue *> inValues;
  std::vector<OrtValue *> outValues;

  Session(OrtEnv *env, const Case &c) {
    long T = c.number("T"), B = c.number("B"), X = c.number("X"), H = c.number("H"), D = c.number("D", 1);
    bool lstm = c.text("cell") == "lstm";
    std::vector<std::string> inputs{"X", "W", "R", "B"}, outputs;
    in.emplace_back("X", Dims{T, B, X}, 1);
    if (c.task == "stream") { // one step: the state's h is the output
      inputs.insert(inputs.end(), {"", "h"});
      outputs = {"", "h_next"};
      if (lstm) inputs.push_back("c"), outputs.push_back("c_next");
      for (size_t i = 5; i < inputs.size(); i++) in.emplace_back(inputs[i], Dims{D, B, H}, 0);
      for (size_t i = 1; i < outputs.size(); i++) out.emplace_back(outputs[i], Dims{D, B, H}, 0);
    } else {
      outputs = {"Y"};
      out.emplace_back("Y", Dims{T, D, B, H}, 0);
    }
    load(env, model(c, inputs, outputs, in, out), c.number("threads", 1));
    for (auto &t : in) inNames.push_back(t.name.c_str()), inValues.push_back(t.value);
    for (auto &t : out) outNames.push_back(t.name.c_str()), outValues.push_back(t.value);
  }
  Session(const Session &) = delete;
  ~Session() { api->ReleaseSession(session); }

  void load(OrtEnv *env, const std::string &bytes, int threads) {
    OrtSessionOptions *options;
    check(api->CreateSessionOptions(&options));
    check(api->SetIntraOpNumThreads(options, threads));
    check(api->SetInterOpNumThreads(options, 1));
    check(api->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
    check(api->CreateSessionFromArray(env, bytes.data(), bytes.size(), options, &session));
    api->ReleaseSessionOptions(options);
  }

  void run() { check(api->Run(session, nullptr, inNames.data(), inValues.data(), inNames.size(), outNames.data(), outNames.size(), outValues.data())); }

  // step runs, and makes the state after it that before the next.
  void step() {
    run();
    for (size_t i = 0; i < outValues.size(); i++) {
      auto before = const_cast<OrtValue *>(inValues[i + 1]);
      inValues[i + 1] = outValues[i];
      outValues[i] = before;
    }
  }
};

static Opened open(OrtEnv *env, const Case &c) {
  auto cell = c.text("cell");
  if (c.task != "infer" && c.task != "stream") throw Unsupported("it only infers");
  if (cell != "lstm" && cell != "gru-after" && cell != "gru-before") throw Unsupported("no such cell");
  if (c.number("L", 1) > 1) throw Unsupported("a node is one layer");
  auto s = std::make_shared<Session>(env, c);
  if (c.task == "stream") return {[=] { s->step(); }};
  return {[=] { s->run(); }};
}

int main(int argc, char **argv) {
  void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : nullptr;
  auto base = library ? (const OrtApiBase *(*)())dlsym(library, "OrtGetApiBase") : nullptr;
  if (base) api = base()->GetApi(ORT_API_VERSION);
  if (!api) {
    std::cout << "error no ONNX Runtime with API " << ORT_API_VERSION << " or newer in that library" << std::endl;
    return 1;
  }
  OrtEnv *env;
  check(api->CreateEnv(ORT_LOGGING_LEVEL_WARNING, "bench", &env));
  return serve(std::string("ONNX Runtime ") + base()->GetVersionString(), [=](const Case &c) { return open(env, c); });
}
