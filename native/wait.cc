#include "bindings.h"

namespace posix_daemon {

void RegisterWait(Napi::Env env, Napi::Object exports) {}

}  // namespace posix_daemon
