// The handlers that libraries have registered by pthread_atfork(3). The C library's fork() calls them; a bare system
// call doesn't, and a library that draws random numbers may count on it.
#pragma once

#include <cstddef>
#include <vector>

namespace posix_daemon {

class AtforkHandlers {
 public:
  struct Entry {
    void (*prepare)();
    void (*parent)();
    void (*child)();
    void* dso_handle;
  };

  // Calls the `prepare` handlers, the last registered first.
  AtforkHandlers();
  AtforkHandlers(const AtforkHandlers&) = delete;
  AtforkHandlers& operator=(const AtforkHandlers&) = delete;

  // What was prepared and is still there, the first registered first.
  void InParent() const { CallAll(&Entry::parent); }
  void InChild() const { CallAll(&Entry::child); }

 private:
  void CallAll(void (*Entry::*handler)()) const;

  std::vector<Entry> prepared_;
};

}  // namespace posix_daemon
