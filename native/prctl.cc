#include "bindings.h"

namespace posix_daemon {

void RegisterPrctl(Napi::Env env, Napi::Object exports) {}

}  // namespace posix_daemon
