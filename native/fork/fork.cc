#include "../bindings.h"

namespace posix_daemon {

void RegisterFork(Napi::Env env, Napi::Object exports) {}

}  // namespace posix_daemon
