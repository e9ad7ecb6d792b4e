// What forkExec is to do, with everything looked up and laid out before the fork: the child allocates nothing.
#pragma once

#include <napi.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace posix_daemon {

// Strings as execve takes them: an array of pointers that ends in a null pointer.
class CStrings {
 public:
  void Assign(std::vector<std::string> strings);
  char* const* data() const { return pointers_.data(); }

 private:
  std::vector<std::string> strings_;
  std::vector<char*> pointers_;
};

// One descriptor of the new program: `target` is a copy of the caller's `source`, or the file at `path`. With neither,
// what the caller has at that number stays, also when that is nothing.
struct DescriptorPlan {
  int target = -1;
  int source = -1;
  std::string path;
  int flags = 0;
  // Where the child holds it until all targets may be overwritten.
  int lifted = -1;
};

struct LimitPlan {
  int resource;
  rlimit limit;
};

struct Plan {
  std::string file;
  CStrings argv;
  CStrings env;
  bool setsid = false;
  // Fork once more after the steps of session and group.
  bool detach = false;
  std::optional<int32_t> setpgid;
  std::optional<int32_t> ctty;
  std::optional<uint32_t> umask;
  std::string oom_score_adj;
  std::vector<DescriptorPlan> descriptors;
  // The targets from 3 on, ascending: what stays open beside 0, 1 and 2.
  std::vector<int> kept;
  std::vector<LimitPlan> rlimits;
  std::optional<int32_t> nice;
  std::optional<std::string> chroot;
  std::optional<std::string> cwd;
  std::optional<std::vector<gid_t>> groups;
  std::optional<uint32_t> gid;
  std::optional<uint32_t> uid;
  int32_t pdeathsig = 0;
  bool reset_signals = true;
  uint64_t signal_mask = 0;
  // Who must still be the child's parent when pdeathsig is armed.
  pid_t parent = 0;

  bool ChangesCredentials() const { return uid || gid || groups; }
};

// Reads the raw binding's object. Answers false, with a TypeError thrown, where a property has the wrong type.
bool ReadPlan(const Napi::CallbackInfo& info, Plan* plan);

// Read an array; the same contract.
bool ReadStrings(Napi::Value value, std::vector<std::string>* strings);
bool ReadIntegers(Napi::Value value, std::vector<int32_t>* integers);

}  // namespace posix_daemon
