#include "bindings.h"
#include "startup_pipes.h"

namespace posix_daemon {

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  TheStartupPipes();
  RegisterDescriptor(env, exports);
  RegisterEvents(env, exports);
  RegisterExec(env, exports);
  RegisterFork(env, exports);
  RegisterLimits(env, exports);
  RegisterLock(env, exports);
  RegisterLoopStreams(env, exports);
  RegisterMemfd(env, exports);
  RegisterPrctl(env, exports);
  RegisterRandomStores(env, exports);
  RegisterSession(env, exports);
  RegisterSignals(env, exports);
  RegisterTitle(env, exports);
  RegisterUsers(env, exports);
  RegisterWait(env, exports);
  return exports;
}

NODE_API_MODULE(posix_daemon, Init)

}  // namespace posix_daemon
