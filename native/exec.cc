#include "bindings.h"

namespace posix_daemon {

void RegisterExec(Napi::Env env, Napi::Object exports) {}

}  // namespace posix_daemon
