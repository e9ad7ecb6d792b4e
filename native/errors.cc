#include "errors.h"

#include <uv.h>

namespace posix_daemon {

Napi::Value ThrowErrno(Napi::Env env, int error, const char* syscall, const ErrorDetail& detail) {
  char name[64];
  char text[256];
  uv_err_name_r(-error, name, sizeof name);
  uv_strerror_r(-error, text, sizeof text);
  std::string message = std::string(name) + ": " + text + ", " + syscall;
  if (detail.step != nullptr) message += std::string(" (") + detail.step + ")";
  if (detail.path != nullptr) message += std::string(" '") + detail.path + "'";
  if (detail.dest != nullptr) message += std::string(" -> '") + detail.dest + "'";

  Napi::Error thrown = Napi::Error::New(env, message);
  thrown.Set("errno", Napi::Number::New(env, -error));
  thrown.Set("code", Napi::String::New(env, name));
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
