#include "errors.h"

#include <uv.h>

#include <cctype>
#include <cerrno>
#include <cstring>

namespace posix_daemon {

namespace {

struct ErrorText {
  std::string name;
  std::string text;
};

// What calls on processes, locks and files fail with that libuv, which makes none of these calls, has no name for.
constexpr struct {
  int error;
  const char* name;
} kMissingInLibuv[] = {
    {ECHILD, "ECHILD"},   {EDEADLK, "EDEADLK"}, {EDQUOT, "EDQUOT"}, {ELIBBAD, "ELIBBAD"},
    {ENOEXEC, "ENOEXEC"}, {ENOLCK, "ENOLCK"},   {ESTALE, "ESTALE"},
};

ErrorText Describe(int error) {
  char name[64];
  char buffer[256];
  for (const auto& missing : kMissingInLibuv) {
    if (missing.error != error) continue;
    // GNU's strerror_r, which returns the text, in libuv's small letters.
    std::string text = strerror_r(error, buffer, sizeof buffer);
    text[0] = static_cast<char>(tolower(text[0]));
    return {missing.name, text};
  }
  uv_err_name_r(-error, name, sizeof name);
  uv_strerror_r(-error, buffer, sizeof buffer);
  return {name, buffer};
}

}  // namespace

Napi::Value ThrowErrno(Napi::Env env, int error, const char* syscall, const ErrorDetail& detail) {
  const ErrorText described = Describe(error);
  std::string message = described.name + ": " + described.text + ", " + syscall;
  if (detail.step != nullptr) message += std::string(" (") + detail.step + ")";
  if (detail.path != nullptr) message += std::string(" '") + detail.path + "'";
  if (detail.dest != nullptr) message += std::string(" -> '") + detail.dest + "'";

  Napi::Error thrown = Napi::Error::New(env, message);
  thrown.Set("errno", Napi::Number::New(env, -error));
  thrown.Set("code", Napi::String::New(env, described.name));
  thrown.Set("syscall", Napi::String::New(env, syscall));
  if (detail.step != nullptr) thrown.Set("step", Napi::String::New(env, detail.step));
  if (detail.path != nullptr) thrown.Set("path", Napi::String::New(env, detail.path));
  if (detail.dest != nullptr) thrown.Set("dest", Napi::String::New(env, detail.dest));
  thrown.ThrowAsJavaScriptException();
  return env.Undefined();
}

Napi::Value ThrowType(Napi::Env env, const char* message) {
  Napi::TypeError thrown = Napi::TypeError::New(env, message);
  thrown.Set("code", Napi::String::New(env, "ERR_INVALID_ARG_TYPE"));
  thrown.ThrowAsJavaScriptException();
  return env.Undefined();
}

}  // namespace posix_daemon
