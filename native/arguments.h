// Reading arguments that TypeScript has validated already. Each reader answers false, with a TypeError thrown, when a
// direct caller of the raw binding passes something else.
#pragma once

#include <napi.h>

#include <string>

#include "errors.h"

namespace posix_daemon {

inline bool ReadInt(const Napi::CallbackInfo& info, size_t index, int32_t* value) {
  if (!info[index].IsNumber()) {
    ThrowType(info.Env(), "an integer is expected");
    return false;
  }
  *value = info[index].As<Napi::Number>().Int32Value();
  return true;
}

inline bool ReadUint(const Napi::CallbackInfo& info, size_t index, uint32_t* value) {
  if (!info[index].IsNumber()) {
    ThrowType(info.Env(), "an unsigned integer is expected");
    return false;
  }
  *value = info[index].As<Napi::Number>().Uint32Value();
  return true;
}

inline bool ReadBool(const Napi::CallbackInfo& info, size_t index, bool* value) {
  if (!info[index].IsBoolean()) {
    ThrowType(info.Env(), "a boolean is expected");
    return false;
  }
  *value = info[index].As<Napi::Boolean>().Value();
  return true;
}

inline bool ReadString(const Napi::CallbackInfo& info, size_t index, std::string* value) {
  if (!info[index].IsString()) {
    ThrowType(info.Env(), "a string is expected");
    return false;
  }
  *value = info[index].As<Napi::String>().Utf8Value();
  return true;
}

}  // namespace posix_daemon
