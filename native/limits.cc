#include "bindings.h"

namespace posix_daemon {

void RegisterLimits(Napi::Env env, Napi::Object exports) {}

}  // namespace posix_daemon
