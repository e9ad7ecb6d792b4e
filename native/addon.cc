#include "bindings.h"

namespace posix_daemon {

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  RegisterSession(env, exports);
  return exports;
}

NODE_API_MODULE(posix_daemon, Init)

}  // namespace posix_daemon
