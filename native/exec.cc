// Starting programs: forkExec (a child), execve (this process), and finding them in PATH.
#include <fcntl.h>

#include <algorithm>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"
#include "exec/launch.h"
#include "exec/plan.h"
#include "exec/replace.h"
#include "exec/search.h"

namespace posix_daemon {

// The path that a failed step was about, or null.
static const char* PathOf(const Launched& failed, const Plan& plan) {
  switch (failed.step) {
    case Step::kOomScoreAdj:
      return "/proc/self/oom_score_adj";
    case Step::kOpen:
      return plan.descriptors[failed.item].path.c_str();
    case Step::kChroot:
      return plan.chroot->c_str();
    case Step::kChdir:
      return plan.cwd->c_str();
    case Step::kExecve:
      return plan.file.c_str();
    default:
      return nullptr;
  }
}

static Napi::Value ForkExec(const Napi::CallbackInfo& info) {
  Plan plan;
  if (!ReadPlan(info, &plan)) return info.Env().Undefined();
  const Launched launched = Launch(plan);
  if (launched.pid != -1) return Napi::Number::New(info.Env(), launched.pid);
  return ThrowErrno(info.Env(), launched.error, "forkExec", {PathOf(launched, plan), nullptr, StepName(launched.step)});
}

static Napi::Value Execve(const Napi::CallbackInfo& info) {
  std::string path;
  std::vector<std::string> argv_strings;
  std::vector<std::string> env_strings;
  std::vector<int32_t> kept;
  if (!ReadString(info, 0, &path) || !ReadStrings(info[1], &argv_strings) || !ReadStrings(info[2], &env_strings) ||
      !ReadIntegers(info[3], &kept)) {
    return info.Env().Undefined();
  }
  std::sort(kept.begin(), kept.end());
  for (const int fd : kept) {
    if (fcntl(fd, F_GETFD) == -1) return ThrowErrno(info.Env(), errno, "execve", {nullptr, nullptr, "fcntl"});
  }
  CStrings argv;
  CStrings env;
  argv.Assign(std::move(argv_strings));
  env.Assign(std::move(env_strings));
  const ReplaceFailure failure = Replace(path, argv, env, kept);
  return ThrowErrno(info.Env(), failure.error, "execve", {failure.path});
}

// searchPath(file, directories, syscall): what to execute for `file`, or a throw in the name of `syscall`.
static Napi::Value SearchPathBinding(const Napi::CallbackInfo& info) {
  std::string file;
  std::string directories;
  std::string syscall;
  if (!ReadString(info, 0, &file) || !ReadString(info, 1, &directories) || !ReadString(info, 2, &syscall)) {
    return info.Env().Undefined();
  }
  std::string found = file;
  int error = ENOENT;
  if (file.find('/') != std::string::npos) {
    error = CheckExecutable(file);
  } else if (!file.empty()) {
    error = SearchPath(file, directories, &found);
  }
  if (error != 0) return ThrowErrno(info.Env(), error, syscall.c_str(), {file.c_str()});
  return Napi::String::New(info.Env(), found);
}

void RegisterExec(Napi::Env env, Napi::Object exports) {
  exports.Set("forkExec", Napi::Function::New<ForkExec>(env, "forkExec"));
  exports.Set("execve", Napi::Function::New<Execve>(env, "execve"));
  exports.Set("searchPath", Napi::Function::New<SearchPathBinding>(env, "searchPath"));
}

}  // namespace posix_daemon
