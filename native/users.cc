// The user database: names to ids, and the groups that a login would give. The name service may read files, ask a
// server or load libraries, so all of this happens before a fork, never between fork and exec.
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"

namespace posix_daemon {

// Calls one of the get…_r functions with a buffer that grows as long as it is too small. Answers its error.
template <typename Lookup>
static int WithBuffer(std::vector<char>* buffer, Lookup lookup) {
  buffer->resize(1024);
  for (;;) {
    const int error = lookup(buffer->data(), buffer->size());
    if (error == EINTR) continue;
    if (error != ERANGE) return error;
    buffer->resize(buffer->size() * 2);
  }
}

// Some name services answer so when the name isn't known, where POSIX wants success with no entry (getpwnam(3)).
static bool MeansUnknown(int error) { return error == ENOENT || error == ESRCH || error == EBADF || error == EPERM; }

// findUser(nameOrId): { name, uid, gid, home, shell }, or undefined.
static Napi::Value FindUser(const Napi::CallbackInfo& info) {
  std::string name;
  uint32_t uid = 0;
  const bool by_id = info[0].IsNumber();
  if (by_id ? !ReadUint(info, 0, &uid) : !ReadString(info, 0, &name)) return info.Env().Undefined();
  std::vector<char> buffer;
  passwd entry;
  passwd* found = nullptr;
  const int error = WithBuffer(&buffer, [&](char* data, size_t size) {
    return by_id ? getpwuid_r(uid, &entry, data, size, &found) : getpwnam_r(name.c_str(), &entry, data, size, &found);
  });
  if (error != 0 && !MeansUnknown(error)) return ThrowErrno(info.Env(), error, by_id ? "getpwuid" : "getpwnam");
  if (found == nullptr) return info.Env().Undefined();
  Napi::Object user = Napi::Object::New(info.Env());
  user.Set("name", Napi::String::New(info.Env(), found->pw_name));
  user.Set("uid", Napi::Number::New(info.Env(), found->pw_uid));
  user.Set("gid", Napi::Number::New(info.Env(), found->pw_gid));
  user.Set("home", Napi::String::New(info.Env(), found->pw_dir));
  user.Set("shell", Napi::String::New(info.Env(), found->pw_shell));
  return user;
}

// findGroup(name): its id, or undefined.
static Napi::Value FindGroup(const Napi::CallbackInfo& info) {
  std::string name;
  if (!ReadString(info, 0, &name)) return info.Env().Undefined();
  std::vector<char> buffer;
  group entry;
  group* found = nullptr;
  const int error = WithBuffer(
      &buffer, [&](char* data, size_t size) { return getgrnam_r(name.c_str(), &entry, data, size, &found); });
  if (error != 0 && !MeansUnknown(error)) return ThrowErrno(info.Env(), error, "getgrnam");
  if (found == nullptr) return info.Env().Undefined();
  return Napi::Number::New(info.Env(), found->gr_gid);
}

// groupsOf(user, gid): what initgroups(user, gid) would set.
static Napi::Value GroupsOf(const Napi::CallbackInfo& info) {
  std::string user;
  uint32_t gid;
  if (!ReadString(info, 0, &user) || !ReadUint(info, 1, &gid)) return info.Env().Undefined();
  std::vector<gid_t> groups(32);
  int count = static_cast<int>(groups.size());
  // A list that is too short sets `count` to what it takes; the database may grow in between.
  while (getgrouplist(user.c_str(), gid, groups.data(), &count) == -1) {
    if (static_cast<size_t>(count) <= groups.size()) count = static_cast<int>(groups.size()) * 2;
    groups.resize(count);
  }
  Napi::Array result = Napi::Array::New(info.Env(), count);
  for (int i = 0; i < count; i++) result.Set(i, Napi::Number::New(info.Env(), groups[i]));
  return result;
}

// maySetGroups(): whether this thread has CAP_SETGID, which setgroups asks for, whatever its uid.
static Napi::Value MaySetGroups(const Napi::CallbackInfo& info) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, data) == -1) return ThrowErrno(info.Env(), errno, "capget");
  return Napi::Boolean::New(info.Env(), (data[CAP_TO_INDEX(CAP_SETGID)].effective & CAP_TO_MASK(CAP_SETGID)) != 0);
}

void RegisterUsers(Napi::Env env, Napi::Object exports) {
  exports.Set("findUser", Napi::Function::New<FindUser>(env, "findUser"));
  exports.Set("findGroup", Napi::Function::New<FindGroup>(env, "findGroup"));
  exports.Set("groupsOf", Napi::Function::New<GroupsOf>(env, "groupsOf"));
  exports.Set("maySetGroups", Napi::Function::New<MaySetGroups>(env, "maySetGroups"));
}

}  // namespace posix_daemon
