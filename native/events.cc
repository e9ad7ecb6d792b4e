// Waiting without the event loop: for signals, descriptors and a time, in a process whose loop stands still because
// what is in it belongs to the processes that are forked from it.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"

namespace posix_daemon {

// The signals that are held, with what was to be done about each before; and the pipe that they come through. Statics
// of the main thread, but for what the handler reads.
struct Held {
  int signal;
  struct sigaction before;
};
static std::vector<Held> held;
static int signal_pipe[2] = {-1, -1};
static std::atomic<pid_t> holder{0};
// Of a forked process that has not yet let go of them: each bit a signal that it got itself.
static std::atomic<uint64_t> missed{0};

// What the kernel sends of its own accord, it sends for the terminal.
constexpr unsigned char kFromTerminal = 0x80;

static void OnSignal(int signal, siginfo_t* info, void*) {
  const int error = errno;
  if (getpid() != holder.load(std::memory_order_relaxed)) {
    missed.fetch_or(uint64_t{1} << (signal - 1));
  } else {
    const auto byte = static_cast<unsigned char>(signal | (info->si_code == SI_KERNEL ? kFromTerminal : 0));
    // A full pipe has wakened the reader already.
    if (write(signal_pipe[1], &byte, 1) == -1) errno = error;
  }
  errno = error;
}

static void Hold(int signal, bool ignored) {
  struct sigaction action = {};
  if (ignored) {
    action.sa_handler = SIG_IGN;
  } else {
    action.sa_sigaction = OnSignal;
    sigfillset(&action.sa_mask);
    action.sa_flags = SA_RESTART | SA_SIGINFO;
  }
  Held one = {signal, {}};
  if (sigaction(signal, &action, &one.before) == 0) held.push_back(one);
}

static bool ReadNumbers(const Napi::CallbackInfo& info, size_t index, std::vector<int>* numbers) {
  if (!info[index].IsArray()) {
    ThrowType(info.Env(), "an array of integers is expected");
    return false;
  }
  const Napi::Array array = info[index].As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) {
    const Napi::Value value = array.Get(i);
    if (!value.IsNumber()) {
      ThrowType(info.Env(), "an array of integers is expected");
      return false;
    }
    numbers->push_back(value.As<Napi::Number>().Int32Value());
  }
  return true;
}

// holdSignals(signals, ignored): from now on awaitEvents() reports the first and they do nothing else; the others are
// ignored.
static Napi::Value HoldSignals(const Napi::CallbackInfo& info) {
  std::vector<int> signals;
  std::vector<int> ignored;
  if (!ReadNumbers(info, 0, &signals) || !ReadNumbers(info, 1, &ignored)) return info.Env().Undefined();
  if (holder != 0) return ThrowErrno(info.Env(), EALREADY, "sigaction");
  if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) == -1) return ThrowErrno(info.Env(), errno, "pipe");
  holder = getpid();
  for (const int signal : signals) Hold(signal, false);
  for (const int signal : ignored) Hold(signal, true);
  return info.Env().Undefined();
}

// letGoOfSignals(): each does again what it did before; those that came meanwhile to this process alone, a forked one,
// are sent to it once more.
static Napi::Value LetGoOfSignals(const Napi::CallbackInfo& info) {
  for (const Held& one : held) sigaction(one.signal, &one.before, nullptr);
  held.clear();
  for (int& fd : signal_pipe) {
    if (fd != -1) close(fd);
    fd = -1;
  }
  holder = 0;
  const uint64_t late = missed.exchange(0);
  for (int signal = 1; signal <= 64; signal++) {
    if ((late >> (signal - 1) & 1) != 0) kill(getpid(), signal);
  }
  return info.Env().Undefined();
}

static void TakeSignals(std::vector<int>* signals, std::vector<int>* from_terminal) {
  unsigned char bytes[64];
  for (ssize_t length; (length = read(signal_pipe[0], bytes, sizeof bytes)) > 0;) {
    for (ssize_t i = 0; i < length; i++) {
      ((bytes[i] & kFromTerminal) != 0 ? from_terminal : signals)->push_back(bytes[i] & ~kFromTerminal);
    }
  }
}

static Napi::Array ToArray(Napi::Env env, const std::vector<int>& numbers) {
  Napi::Array array = Napi::Array::New(env, numbers.size());
  for (uint32_t i = 0; i < numbers.size(); i++) array.Set(i, Napi::Number::New(env, numbers[i]));
  return array;
}

// awaitEvents(fds, ms): { signals, fromTerminal, readable }, all empty when the time is over; -1 waits for ever.
static Napi::Value AwaitEvents(const Napi::CallbackInfo& info) {
  std::vector<int> fds;
  int32_t timeout_ms;
  if (!ReadNumbers(info, 0, &fds) || !ReadInt(info, 1, &timeout_ms)) return info.Env().Undefined();
  std::vector<pollfd> polled = {{signal_pipe[0], POLLIN, 0}};
  for (const int fd : fds) polled.push_back({fd, POLLIN, 0});
  const uint64_t end = uv_hrtime() + static_cast<uint64_t>(std::max(timeout_ms, 0)) * 1'000'000;
  for (;;) {
    const uint64_t now = uv_hrtime();
    const int left = timeout_ms < 0 ? -1 : now >= end ? 0 : static_cast<int>((end - now + 999'999) / 1'000'000);
    if (poll(polled.data(), polled.size(), left) != -1) break;
    if (errno != EINTR) return ThrowErrno(info.Env(), errno, "poll");
  }
  std::vector<int> readable;
  for (size_t i = 1; i < polled.size(); i++) {
    if (polled[i].revents != 0) readable.push_back(polled[i].fd);
  }
  std::vector<int> signals;
  std::vector<int> from_terminal;
  if (polled[0].revents != 0) TakeSignals(&signals, &from_terminal);
  Napi::Object events = Napi::Object::New(info.Env());
  events.Set("signals", ToArray(info.Env(), signals));
  events.Set("fromTerminal", ToArray(info.Env(), from_terminal));
  events.Set("readable", ToArray(info.Env(), readable));
  return events;
}

void RegisterEvents(Napi::Env env, Napi::Object exports) {
  exports.Set("holdSignals", Napi::Function::New<HoldSignals>(env, "holdSignals"));
  exports.Set("letGoOfSignals", Napi::Function::New<LetGoOfSignals>(env, "letGoOfSignals"));
  exports.Set("awaitEvents", Napi::Function::New<AwaitEvents>(env, "awaitEvents"));
}

}  // namespace posix_daemon
