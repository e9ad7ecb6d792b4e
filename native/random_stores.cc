#include "random_stores.h"

#include <napi.h>
#include <sys/random.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "bindings.h"
#include "errors.h"

namespace posix_daemon {

// Never freed, because a fork may read the list at any moment; used again for the same length.
struct Store {
  std::atomic<uint8_t*> bytes;
  const size_t length;
  Store* const next;
};
static std::atomic<Store*> stores;

static Store* Add(uint8_t* bytes, size_t length) {
  Store* const first = stores.load(std::memory_order_acquire);
  for (Store* store = first; store != nullptr; store = store->next) {
    uint8_t* unused = nullptr;
    if (store->length == length && store->bytes.compare_exchange_strong(unused, bytes)) return store;
  }
  for (Store* next = first;;) {
    auto* const store = new Store{{bytes}, length, next};
    if (stores.compare_exchange_strong(next, store)) return store;
    delete store;
  }
}

void RenewRandomStores() {
  for (const Store* store = stores.load(std::memory_order_acquire); store != nullptr; store = store->next) {
    uint8_t* const bytes = store->bytes.load(std::memory_order_acquire);
    for (size_t filled = 0; bytes != nullptr && filled < store->length;) {
      const ssize_t got = getrandom(bytes + filled, store->length - filled, 0);
      if (got == -1 && errno != EINTR) break;
      if (got > 0) filled += static_cast<size_t>(got);
    }
  }
}

// What it is given is kept alive until the environment's end, and not written to from then on.
static Napi::Value RenewInChildren(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    return ThrowType(info.Env(), "a Uint8Array is expected");
  }
  auto array = info[0].As<Napi::Uint8Array>();
  struct Kept {
    Store* store;
    Napi::ObjectReference array;
  };
  auto* const kept = new Kept{Add(array.Data(), array.ByteLength()), Napi::Persistent(array.As<Napi::Object>())};
  info.Env().AddCleanupHook(
      [](Kept* ended) {
        ended->store->bytes.store(nullptr, std::memory_order_release);
        delete ended;
      },
      kept);
  return info.Env().Undefined();
}

void RegisterRandomStores(Napi::Env env, Napi::Object exports) {
  exports.Set("renewInChildren", Napi::Function::New<RenewInChildren>(env, "renewInChildren"));
}

}  // namespace posix_daemon
