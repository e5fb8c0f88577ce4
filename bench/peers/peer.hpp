// The side of the line protocol that a peer in C++ speaks (see child.go), and
// how it times a call.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

// Case is what the driver asks for: a task and its numbers.
struct Case {
  std::string task;
  std::map<std::string, std::string> words;

  explicit Case(std::istream &line) {
    line >> task;
    for (std::string word; line >> word;) {
      auto at = word.find('=');
      words[word.substr(0, at)] = at == std::string::npos ? "" : word.substr(at + 1);
    }
  }
  std::string text(const std::string &key) const {
    auto found = words.find(key);
    return found == words.end() ? "" : found->second;
  }
  long number(const std::string &key, long otherwise = 0) const {
    auto value = text(key);
    return value.empty() ? otherwise : std::stol(value);
  }
};

// Unsupported is thrown for a case that the peer has no function for.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Opened is a case made ready: what is timed, and for a limit the floating-point
// operations or bytes of one call.
struct Opened {
  std::function<void()> call;
  double work = 0;
};

// fill gives a buffer values in ±scale without a pattern that a product could
// profit from.
inline void fill(float *x, size_t n, float scale) {
  uint32_t state = 12345;
  for (size_t i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u;
    x[i] = scale * ((state >> 8) * 0x1p-23f - 1);
  }
}

// seconds is the time of n calls.
inline double seconds(const std::function<void()> &call, long n) {
  auto start = std::chrono::steady_clock::now();
  for (long i = 0; i < n; i++) call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// measure warms up, then calls until ms have passed and there are reps samples.
// A sample is so many calls that the clock does not count.
inline std::vector<double> measure(const std::function<void()> &call, size_t reps, double ms) {
  const double warm = 20e-3, sample = 200e-6;
  double fastest = 1e9, sum = 0;
  for (long n = 1; sum < warm; n *= 2) {
    double t = seconds(call, n);
    sum += t;
    fastest = std::min(fastest, t / n);
  }
  long n = std::max(1., sample / fastest);
  std::vector<double> times;
  for (sum = 0; sum < ms / 1e3 || times.size() < reps;) {
    double t = seconds(call, n);
    sum += t;
    times.push_back(t / n);
  }
  return times;
}

// serve answers the driver until it closes stdin.
inline int serve(const std::string &name, const std::function<Opened(const Case &)> &open) {
  std::cout << "ready " << name << std::endl;
  Opened opened;
  for (std::string text; std::getline(std::cin, text);) {
    std::istringstream line(text);
    std::string verb;
    line >> verb;
    try {
      if (verb == "open") {
        opened = {}; // free the last one first
        opened = open(Case(line));
        opened.call();
        std::cout << "ok work=" << opened.work << std::endl;
      } else if (verb == "run") {
        size_t reps;
        double ms;
        line >> reps >> ms;
        std::cout << "times";
        for (double t : measure(opened.call, reps, ms)) std::cout << ' ' << t * 1e9;
        std::cout << std::endl;
      } else {
        std::cout << "error unknown verb " << verb << std::endl;
      }
    } catch (const Unsupported &e) {
      std::cout << "no " << e.what() << std::endl;
    } catch (const std::exception &e) {
      std::cout << "error " << e.what() << std::endl;
    }
  }
  return 0;
}
