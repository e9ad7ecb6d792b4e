#include "bindings.h"

namespace posix_daemon {

void RegisterSignals(Napi::Env env, Napi::Object exports) {}

}  // namespace posix_daemon
