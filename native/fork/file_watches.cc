#include "file_watches.h"

#include <sys/inotify.h>

#include <cstring>
#include <string>
#include <vector>

namespace posix_daemon {

namespace {

struct FileWatch {
  uv_fs_event_t* handle;
  uv_fs_event_cb callback;
  std::string path;
};

// A watch number may be one of the parent's that libuv still knows, if the fork was made in a callback of that watch:
// the handle is then among those of another path. The kernel doesn't give out a number twice.
int Start(uv_loop_t* loop, const std::vector<FileWatch>& watches, const FileWatch& watch, const char* path) {
  int error = uv_fs_event_start(watch.handle, watch.callback, path, 0);
  if (error != 0 || strcmp(watch.handle->path, path) == 0) return error;
  const int number = watch.handle->wd;
  for (const FileWatch* earlier = watches.data(); earlier != &watch; earlier++) {
    if (earlier->handle->wd == number) return 0;  // two paths of one file
  }
  uv_fs_event_stop(watch.handle);
  inotify_rm_watch(loop->inotify_fd, number);
  return uv_fs_event_start(watch.handle, watch.callback, path, 0);
}

}  // namespace

bool RestartFileWatches(uv_loop_t* loop) {
  std::vector<FileWatch> watches;
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* found) {
        if (handle->type != UV_FS_EVENT || uv_is_active(handle) == 0) return;
        auto* event = reinterpret_cast<uv_fs_event_t*>(handle);
        static_cast<std::vector<FileWatch>*>(found)->push_back({event, event->cb, event->path});
      },
      &watches);
  // All first: handles of one path have one watch.
  for (const FileWatch& watch : watches) uv_fs_event_stop(watch.handle);
  bool all = true;
  for (const FileWatch& watch : watches) {
    const int error = Start(loop, watches, watch, watch.path.c_str());
    if (error == 0) continue;
    // Gone by now, or not to be read any more: as in the parent, the handle stays active and nothing comes of it. In
    // this folder nothing ever changes.
    const bool gone = error == UV_ENOENT || error == UV_ENOTDIR || error == UV_EACCES || error == UV_ELOOP;
    all = Start(loop, watches, watch, "/proc/self/ns") == 0 && gone && all;
  }
  return all;
}

}  // namespace posix_daemon
