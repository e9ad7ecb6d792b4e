// The command line that ps shows, and the environment that /proc does.
#include <sys/prctl.h>
#include <uv.h>

#include <cstring>
#include <string>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"
#include "shown_text.h"

namespace posix_daemon {

void NameThread(const std::string& title) {
  size_t length = title.size();
  if (length > 15) {
    length = 15;
    while (length > 0 && (title[length] & 0xC0) == 0x80) length--;
  }
  prctl(PR_SET_NAME, title.substr(0, length).c_str());
}

// Whether it was shown; else throws.
static bool ShowOrThrow(Napi::Env env, ShownText what, const std::string& text) {
  const auto [error, syscall, path] = Show(what, text);
  if (strcmp(syscall, "prctl") == 0) {
    char name[64];
    const std::string reason = std::string(uv_err_name_r(-error, name, sizeof name)) +
                               " from PR_SET_MM_MAP, which takes a kernel with CONFIG_CHECKPOINT_RESTORE, a seccomp "
                               "policy that lets it through, and no RLIMIT_DATA below the data in use";
    ThrowErrno(env, ENOTSUP, syscall, {nullptr, nullptr, reason.c_str()});
    return false;
  }
  if (error != 0) ThrowErrno(env, error, syscall, {path});
  return error == 0;
}

static Napi::Value Setproctitle(const Napi::CallbackInfo& info) {
  std::string title;
  if (!ReadString(info, 0, &title)) return info.Env().Undefined();
  if (ShowOrThrow(info.Env(), ShownText::kCommandLine, title)) NameThread(title);
  return info.Env().Undefined();
}

// showEnvironment(block): variables, each with a NUL after it. What getenv() finds is left alone.
static Napi::Value ShowEnvironment(const Napi::CallbackInfo& info) {
  std::string block;
  if (ReadString(info, 0, &block)) ShowOrThrow(info.Env(), ShownText::kEnvironment, block);
  return info.Env().Undefined();
}

void RegisterTitle(Napi::Env env, Napi::Object exports) {
  exports.Set("setproctitle", Napi::Function::New<Setproctitle>(env, "setproctitle"));
  exports.Set("showEnvironment", Napi::Function::New<ShowEnvironment>(env, "showEnvironment"));
}

}  // namespace posix_daemon
