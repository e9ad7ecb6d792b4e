#include "bindings.h"

namespace posix_daemon {

void RegisterDescriptor(Napi::Env env, Napi::Object exports) {}

}  // namespace posix_daemon
