// What each file of native/ adds to the addon's exports.
#pragma once

#include <napi.h>

namespace posix_daemon {

void RegisterSession(Napi::Env env, Napi::Object exports);

}  // namespace posix_daemon
