// The machine's limits: FP32 multiply-add, and reading an array that stays in
// one level of the memory. Written with the compiler's vectors, for any
// processor.
#include "peer.hpp"
#include <memory>
#include <pthread.h>
#include <thread>

#if defined(__AVX512F__)
constexpr int width = 64;
#elif defined(__AVX__)
constexpr int width = 32;
#else
constexpr int width = 16;
#endif
typedef float Vector __attribute__((vector_size(width)));
constexpr int lanes = width / sizeof(float);

// Twelve sums hide a latency of 4 cycles in two units, 8 of them being enough,
// and fit in 16 registers.
constexpr int sums = 12;

volatile float sink; // keeps results alive

static void multiplyAdd(long steps) {
  Vector a[sums], m = Vector{} + 0.999f, c = Vector{} + 1e-3f;
  for (int i = 0; i < sums; i++) a[i] = Vector{} + float(i);
  for (long s = 0; s < steps; s++)
#pragma GCC unroll 12
    for (int i = 0; i < sums; i++) a[i] = a[i] * m + c;
  Vector sum{};
  for (auto &v : a) sum += v;
  sink = sum[0];
}

static void read(const Vector *x, size_t n, int times) {
  Vector a[8]{};
  for (int t = 0; t < times; t++) {
    for (size_t i = 0; i + 8 <= n; i += 8)
#pragma GCC unroll 8
      for (int j = 0; j < 8; j++) a[j] += x[i + j];
    asm volatile("" ::: "memory"); // or the compiler reads once and multiplies
  }
  for (int j = 1; j < 8; j++) a[0] += a[j];
  sink = a[0][0];
}

// pin moves the calling thread to a core and keeps it there.
static void pin(int thread) {
  cpu_set_t core;
  CPU_ZERO(&core);
  CPU_SET(thread % std::thread::hardware_concurrency(), &core);
  pthread_setaffinity_np(pthread_self(), sizeof core, &core);
}

// together runs f(0) … f(n-1) on n threads, each on a core of its own. A thread
// starts where the one is that makes it: some kernels would start all on one
// core and move them apart only after a second.
static void together(int n, const std::function<void(int)> &f) {
  std::vector<std::thread> others;
  for (int i = 1; i < n; i++) {
    pin(i);
    others.emplace_back(f, i);
  }
  pin(0);
  f(0);
  for (auto &t : others) t.join();
}

constexpr double callWork = 1.6e9; // of a thread, so that a call takes long enough for the start of threads not to count

static Opened openMultiplyAdd(int threads) {
  long steps = callWork / (2 * lanes * sums);
  return {[=] { together(threads, [=](int) { multiplyAdd(steps); }); },
          double(steps) * 2 * lanes * sums * threads};
}

// The array is shared out: each thread reads its own part again and again.
static Opened openRead(int threads, size_t bytes) {
  size_t n = std::max<size_t>(8, bytes / threads / width / 8 * 8);
  auto parts = std::make_shared<std::vector<std::unique_ptr<Vector[]>>>(threads);
  for (auto &p : *parts) {
    p.reset(new Vector[n]);
    fill((float *)p.get(), n * lanes, 1);
  }
  int times = std::max(1., callWork / (n * width));
  return {[=] { together(threads, [=](int i) { read((*parts)[i].get(), n, times); }); },
          double(times) * n * width * threads};
}

int main() {
  return serve("limits", [](const Case &c) {
    int threads = c.number("threads", 1);
    if (c.task == "fma") return openMultiplyAdd(threads);
    if (c.task == "bandwidth") return openRead(threads, c.number("bytes"));
    throw Unsupported("not a limit");
  });
}
