// What each file of native/ adds to the addon's exports.
#pragma once

#include <napi.h>

namespace posix_daemon {

void RegisterDescriptor(Napi::Env env, Napi::Object exports);
void RegisterEvents(Napi::Env env, Napi::Object exports);
void RegisterExec(Napi::Env env, Napi::Object exports);
void RegisterFork(Napi::Env env, Napi::Object exports);
void RegisterLimits(Napi::Env env, Napi::Object exports);
void RegisterLock(Napi::Env env, Napi::Object exports);
void RegisterLoopStreams(Napi::Env env, Napi::Object exports);
void RegisterMemfd(Napi::Env env, Napi::Object exports);
void RegisterPrctl(Napi::Env env, Napi::Object exports);
void RegisterRandomStores(Napi::Env env, Napi::Object exports);
void RegisterSession(Napi::Env env, Napi::Object exports);
void RegisterSignals(Napi::Env env, Napi::Object exports);
void RegisterTitle(Napi::Env env, Napi::Object exports);
void RegisterUsers(Napi::Env env, Napi::Object exports);
void RegisterWait(Napi::Env env, Napi::Object exports);

}  // namespace posix_daemon
