// Math.random() of a forked child would go on with its parent's numbers. V8 has no call to reseed it, and a function
// put in its place would miss everybody who keeps the original (`const { random } = Math`). So its state is found in
// V8's heap, by the numbers it has just given, and overwritten.
#include <sys/random.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "../bindings.h"
#include "../errors.h"
#include "fork.h"

namespace posix_daemon {

// V8's numbers come in batches of this many, the last one of a batch first.
constexpr size_t kBatch = 64;

// The generator's state, as V8 keeps it: in a byte array that the native context refers to.
struct State {
  uint64_t s0;
  uint64_t s1;
};

struct ByteArray {
  uint64_t map;
  uint64_t length;  // as a small integer
  State state;
};
constexpr uint64_t kLengthOfState = uint64_t{sizeof(State)} << 32;

// Where the native context is met on the way from the global object, and in which slot it keeps the state. The same for
// the life of a process; the objects themselves are moved by the garbage collector.
struct Route {
  int root;
  int word;
  int slot;
};
constexpr int kRoots = 3;  // the global object, its map, and the map of that
constexpr int kWords = 12;
constexpr int kSlots = 640;

static Route route;
static bool route_known;

// By a system call, because what looks like a pointer may be none.
static bool Read(uintptr_t address, void* to, size_t size) {
  const iovec local = {to, size};
  const iovec remote = {reinterpret_cast<void*>(address), size};
  return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

static bool IsHeapObject(uint64_t word) { return (word & 3) == 1; }
static uintptr_t AddressOf(uint64_t object) { return object - 1; }

// The number that V8 makes of a state: of one half, by one of two conversions, or since V8 14 of both.
static bool Gives(const State& state, double number) {
  constexpr double kTwoTo53 = 9007199254740992.0;
  const uint64_t one_to_two = (state.s0 >> 12) | 0x3ff0000000000000;
  double from_bits;
  memcpy(&from_bits, &one_to_two, sizeof from_bits);
  return number == from_bits - 1 || number == static_cast<double>(state.s0 >> 11) / kTwoTo53 ||
         number == static_cast<double>((state.s0 + state.s1) >> 11) / kTwoTo53;
}

// Which of the numbers was the first of a batch, going by the state behind that batch; -1: none, so it isn't the state.
static int FirstOfBatch(const State& state, const double* numbers) {
  for (size_t i = 0; i < kBatch; i++) {
    if (Gives(state, numbers[i])) return static_cast<int>(i);
  }
  return -1;
}

static uint64_t Root(uint64_t global, int root) {
  for (int i = 0; i < root; i++) {
    if (!Read(AddressOf(global), &global, sizeof global)) return 0;
  }
  return global;
}

static int CheckSlot(uint64_t object, const double* numbers, uintptr_t* at) {
  ByteArray array;
  if (!IsHeapObject(object) || !Read(AddressOf(object), &array, sizeof array)) return -1;
  *at = AddressOf(object) + offsetof(ByteArray, state);
  return array.length == kLengthOfState ? FirstOfBatch(array.state, numbers) : -1;
}

static int FollowRoute(uint64_t global, const double* numbers, uintptr_t* at) {
  uint64_t context;
  uint64_t object;
  const uint64_t root = Root(global, route.root);
  if (!IsHeapObject(root) || !Read(AddressOf(root) + route.word * sizeof(uint64_t), &context, sizeof context))
    return -1;
  if (!IsHeapObject(context) || !Read(AddressOf(context) + route.slot * sizeof(uint64_t), &object, sizeof object)) {
    return -1;
  }
  return CheckSlot(object, numbers, at);
}

static int FindRoute(uint64_t global, const double* numbers, uintptr_t* at) {
  for (route.root = kRoots - 1; route.root >= 0; route.root--) {
    uint64_t words[kWords];
    const uint64_t root = Root(global, route.root);
    if (!IsHeapObject(root) || !Read(AddressOf(root), words, sizeof words)) continue;
    for (route.word = 0; route.word < kWords; route.word++) {
      if (!IsHeapObject(words[route.word])) continue;
      static uint64_t slots[kSlots];
      constexpr int kAtOnce = 64;  // a context may be shorter, and end at the end of a page
      int held = 0;
      while (held < kSlots &&
             Read(AddressOf(words[route.word]) + held * sizeof(uint64_t), slots + held, kAtOnce * sizeof(uint64_t))) {
        held += kAtOnce;
      }
      for (route.slot = 0; route.slot < held; route.slot++) {
        const int first = CheckSlot(slots[route.slot], numbers, at);
        if (first != -1) return first;
      }
    }
  }
  return -1;
}

// Takes the last 64 numbers of Math.random() and whether to reseed it; returns which of them began the present batch,
// so as many more belong to it still, or -1 where the state can't be found.
static Napi::Value MathRandomState(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_float64_array ||
      info[0].As<Napi::Float64Array>().ElementLength() != kBatch || !info[1].IsBoolean()) {
    return ThrowType(info.Env(), "64 numbers and a boolean are expected");
  }
  const double* numbers = info[0].As<Napi::Float64Array>().Data();
  // A handle is the address of a slot that holds the object.
  uint64_t global;
  memcpy(&global, reinterpret_cast<void*>(static_cast<napi_value>(info.Env().Global())), sizeof global);
  uintptr_t at = 0;
  int first = route_known ? FollowRoute(global, numbers, &at) : -1;
  if (first == -1) {
    first = FindRoute(global, numbers, &at);
    route_known = first != -1;
  }
  State fresh;
  if (first != -1 && info[1].As<Napi::Boolean>().Value()) {
    if (getrandom(&fresh, sizeof fresh, 0) != sizeof fresh) return Napi::Number::New(info.Env(), -1);
    memcpy(reinterpret_cast<void*>(at), &fresh, sizeof fresh);
  }
  return Napi::Number::New(info.Env(), first);
}

void RegisterMathRandom(Napi::Env env, Napi::Object exports) {
  exports.Set("mathRandomState", Napi::Function::New<MathRandomState>(env, "mathRandomState"));
}

}  // namespace posix_daemon
