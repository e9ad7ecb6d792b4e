#include "bindings.h"

namespace posix_daemon {

void RegisterTitle(Napi::Env env, Napi::Object exports) {}

}  // namespace posix_daemon
