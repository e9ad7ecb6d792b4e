#include "user_pipes.h"

#include <mutex>

namespace posix_daemon {

namespace {

// Workers load the addon too, and share the process's descriptors.
struct Registry {
  std::mutex mutex;
  std::set<ino_t> inodes;
};

// Never destroyed: a worker may still be in a call when the process runs its static destructors.
Registry& TheRegistry() {
  static Registry* registry = new Registry;
  return *registry;
}

}  // namespace

size_t RememberUserPipe(ino_t inode) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  registry.inodes.insert(inode);
  return registry.inodes.size();
}

void ForgetUserPipe(ino_t inode) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  registry.inodes.erase(inode);
}

bool IsUserPipe(ino_t inode) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  return registry.inodes.count(inode) != 0;
}

std::set<ino_t> UserPipes() {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  return registry.inodes;
}

}  // namespace posix_daemon
