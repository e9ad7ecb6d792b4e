#include "plan.h"

#include <algorithm>
#include <cmath>

#include "../errors.h"

namespace posix_daemon {

void CStrings::Assign(std::vector<std::string> strings) {
  strings_ = std::move(strings);
  pointers_.clear();
  pointers_.reserve(strings_.size() + 1);
  for (std::string& string : strings_) pointers_.push_back(string.data());
  pointers_.push_back(nullptr);
}

namespace {

// A getter of the object may have thrown already; its error is the better one.
bool Refuse(Napi::Env env, const char* message) {
  if (!env.IsExceptionPending()) ThrowType(env, message);
  return false;
}

bool Read(Napi::Value value, bool* result) {
  if (!value.IsBoolean()) return Refuse(value.Env(), "a boolean is expected");
  *result = value.As<Napi::Boolean>();
  return true;
}

bool Read(Napi::Value value, int32_t* result) {
  if (!value.IsNumber()) return Refuse(value.Env(), "an integer is expected");
  *result = value.As<Napi::Number>().Int32Value();
  return true;
}

bool Read(Napi::Value value, uint32_t* result) {
  if (!value.IsNumber()) return Refuse(value.Env(), "an unsigned integer is expected");
  *result = value.As<Napi::Number>().Uint32Value();
  return true;
}

bool Read(Napi::Value value, std::string* result) {
  if (!value.IsString()) return Refuse(value.Env(), "a string is expected");
  *result = value.As<Napi::String>().Utf8Value();
  return true;
}

// Amounts beyond what a double can count mean "unlimited".
bool ReadAmount(Napi::Value value, rlim_t* result) {
  if (!value.IsNumber()) return Refuse(value.Env(), "a number is expected");
  const double amount = value.As<Napi::Number>().DoubleValue();
  *result = amount >= 0 && amount < 0x1p63 ? static_cast<rlim_t>(amount) : RLIM_INFINITY;
  return true;
}

template <typename Element>
bool Read(Napi::Value value, std::vector<Element>* result);

template <typename T>
bool Read(Napi::Object object, const char* name, T* result) {
  return Read(object.Get(name), result);
}

template <typename T>
bool Read(Napi::Object object, const char* name, std::optional<T>* result) {
  const Napi::Value value = object.Get(name);
  if (value.IsEmpty()) return false;
  if (value.IsUndefined()) return true;
  T read{};
  if (!Read(value, &read)) return false;
  *result = std::move(read);
  return true;
}

bool Read(Napi::Value value, DescriptorPlan* result) {
  if (!value.IsObject()) return Refuse(value.Env(), "a descriptor is expected");
  const auto object = value.As<Napi::Object>();
  std::optional<int32_t> source;
  std::optional<std::string> path;
  std::optional<int32_t> flags;
  if (!Read(object, "target", &result->target) || !Read(object, "source", &source) || !Read(object, "path", &path) ||
      !Read(object, "flags", &flags)) {
    return false;
  }
  result->source = source.value_or(-1);
  result->path = path.value_or("");
  result->flags = flags.value_or(0);
  return true;
}

bool Read(Napi::Value value, LimitPlan* result) {
  if (!value.IsObject()) return Refuse(value.Env(), "a resource limit is expected");
  const auto object = value.As<Napi::Object>();
  return Read(object, "resource", &result->resource) && ReadAmount(object.Get("soft"), &result->limit.rlim_cur) &&
         ReadAmount(object.Get("hard"), &result->limit.rlim_max);
}

template <typename Element>
bool Read(Napi::Value value, std::vector<Element>* result) {
  if (!value.IsArray()) return Refuse(value.Env(), "an array is expected");
  const auto array = value.As<Napi::Array>();
  const uint32_t length = array.Length();
  for (uint32_t i = 0; i < length; i++) {
    Element element;
    if (!Read(array.Get(i), &element)) return false;
    result->push_back(std::move(element));
  }
  return true;
}

bool ReadSignalMask(Napi::Object object, uint64_t* mask) {
  std::vector<int32_t> signals;
  if (!Read(object, "signalMask", &signals)) return false;
  for (const int32_t signal : signals) {
    if (signal >= 1 && signal <= 64) *mask |= uint64_t{1} << (signal - 1);
  }
  return true;
}

bool ReadProgram(Napi::Object object, Plan* plan) {
  std::vector<std::string> argv;
  std::vector<std::string> env;
  if (!Read(object, "file", &plan->file) || !Read(object, "argv", &argv) || !Read(object, "env", &env)) return false;
  plan->argv.Assign(std::move(argv));
  plan->env.Assign(std::move(env));
  return true;
}

bool ReadDescriptors(Napi::Object object, Plan* plan) {
  if (!Read(object, "descriptors", &plan->descriptors)) return false;
  for (const DescriptorPlan& descriptor : plan->descriptors) {
    if (descriptor.target < 0 || descriptor.target == INT32_MAX)
      return Refuse(object.Env(), "a descriptor is expected");
    if (descriptor.target > 2) plan->kept.push_back(descriptor.target);
  }
  std::sort(plan->kept.begin(), plan->kept.end());
  return true;
}

bool ReadOomScoreAdj(Napi::Object object, Plan* plan) {
  std::optional<int32_t> score;
  if (!Read(object, "oomScoreAdj", &score)) return false;
  if (score) plan->oom_score_adj = std::to_string(*score);
  return true;
}

}  // namespace

bool ReadStrings(Napi::Value value, std::vector<std::string>* strings) { return Read(value, strings); }

bool ReadIntegers(Napi::Value value, std::vector<int32_t>* integers) { return Read(value, integers); }

bool ReadPlan(const Napi::CallbackInfo& info, Plan* plan) {
  if (!info[0].IsObject()) return Refuse(info.Env(), "a plan is expected");
  const auto object = info[0].As<Napi::Object>();
  std::optional<int32_t> pdeathsig;
  const bool read = ReadProgram(object, plan) && Read(object, "setsid", &plan->setsid) &&
                    Read(object, "detach", &plan->detach) && Read(object, "setpgid", &plan->setpgid) &&
                    Read(object, "ctty", &plan->ctty) && Read(object, "umask", &plan->umask) &&
                    ReadOomScoreAdj(object, plan) && ReadDescriptors(object, plan) &&
                    Read(object, "rlimits", &plan->rlimits) && Read(object, "nice", &plan->nice) &&
                    Read(object, "chroot", &plan->chroot) && Read(object, "cwd", &plan->cwd) &&
                    Read(object, "groups", &plan->groups) && Read(object, "gid", &plan->gid) &&
                    Read(object, "uid", &plan->uid) && Read(object, "pdeathsig", &pdeathsig) &&
                    Read(object, "resetSignals", &plan->reset_signals) && ReadSignalMask(object, &plan->signal_mask);
  plan->pdeathsig = pdeathsig.value_or(0);
  return read;
}

}  // namespace posix_daemon
