// What a forked process has copies of in its main event loop that is its parent's: connections, and pipes to the
// parent's children. Node lists handles only as far as they keep the loop alive; libuv knows all of them.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "errors.h"

namespace posix_daemon {

namespace {

struct Stream {
  uv_stream_t* handle;
  int fd;
  const char* kind;
};

struct Found {
  const std::vector<pid_t>& makers;
  std::vector<Stream> streams;
  bool processes = false;
  bool unconnected = false;
};

// Also one that the parent has shut down since it forked, which the kernel doesn't know to have been connected.
bool IsConnection(const uv_stream_t* stream, int fd) {
  if (uv_is_readable(stream) != 0 || uv_is_writable(stream) != 0) return true;
  tcp_info info = {};
  socklen_t length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == -1) return false;
  return info.tcpi_state != TCP_CLOSE && info.tcpi_state != TCP_LISTEN;
}

const char* KindOfUnixSocket(int fd, const std::vector<pid_t>& makers) {
  int type = 0;
  socklen_t length = sizeof type;
  // Not a stream: a dead end, see SeverStreams.
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == -1 || type != SOCK_STREAM) return nullptr;
  sockaddr_un name;
  socklen_t own = sizeof name;
  socklen_t peer = sizeof name;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&name), &own) == -1) return nullptr;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&name), &peer) == -1) return nullptr;
  constexpr socklen_t kUnnamed = offsetof(sockaddr_un, sun_path);
  if (own > kUnnamed || peer > kUnnamed) return "connection";
  // A pair. libuv makes one for each pipe to a child; whoever started this process may have given it one as well, and
  // then it is the maker's pid that the kernel has noted.
  ucred credentials = {};
  length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == -1) return nullptr;
  return std::count(makers.begin(), makers.end(), credentials.pid) != 0 ? "child" : nullptr;
}

bool IsStream(const uv_handle_t* handle) {
  return uv_is_closing(handle) == 0 && (handle->type == UV_TCP || handle->type == UV_NAMED_PIPE);
}

void Collect(uv_handle_t* handle, void* argument) {
  auto* found = static_cast<Found*>(argument);
  if (handle->type == UV_PROCESS && uv_is_closing(handle) == 0) found->processes = true;
  if (!IsStream(handle)) return;
  int fd = -1;
  if (uv_fileno(handle, &fd) != 0) {
    found->unconnected = true;
    return;
  }
  const char* kind = nullptr;
  if (handle->type == UV_NAMED_PIPE && reinterpret_cast<uv_pipe_t*>(handle)->ipc != 0) {
    kind = "channel";
  } else if (fd > STDERR_FILENO) {
    if (handle->type == UV_NAMED_PIPE) kind = KindOfUnixSocket(fd, found->makers);
    if (handle->type == UV_TCP && IsConnection(reinterpret_cast<uv_stream_t*>(handle), fd)) kind = "connection";
  }
  if (kind != nullptr) found->streams.push_back({reinterpret_cast<uv_stream_t*>(handle), fd, kind});
}

bool ReadInts(const Napi::Value& value, std::vector<int>* ints) {
  if (!value.IsArray()) {
    ThrowType(value.Env(), "an array of integers is expected");
    return false;
  }
  const Napi::Array array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); i++) ints->push_back(array.Get(i).ToNumber().Int32Value());
  return true;
}

uv_loop_t* LoopOf(Napi::Env env) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  return loop;
}

}  // namespace

// loopStreams(makers): { processes, unconnected, streams: [{ fd, referenced, kind }] }
static Napi::Value LoopStreams(const Napi::CallbackInfo& info) {
  std::vector<int> makers;
  if (!ReadInts(info[0], &makers)) return info.Env().Undefined();
  Found found = {makers, {}};
  uv_walk(LoopOf(info.Env()), Collect, &found);
  Napi::Array streams = Napi::Array::New(info.Env(), found.streams.size());
  for (uint32_t i = 0; i < found.streams.size(); i++) {
    Napi::Object stream = Napi::Object::New(info.Env());
    stream.Set("fd", Napi::Number::New(info.Env(), found.streams[i].fd));
    stream.Set("referenced", Napi::Boolean::New(
                                 info.Env(), uv_has_ref(reinterpret_cast<uv_handle_t*>(found.streams[i].handle)) != 0));
    stream.Set("kind", Napi::String::New(info.Env(), found.streams[i].kind));
    streams.Set(i, stream);
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("processes", Napi::Boolean::New(info.Env(), found.processes));
  result.Set("unconnected", Napi::Boolean::New(info.Env(), found.unconnected));
  result.Set("streams", streams);
  return result;
}

// Calls a function while every handle holds the loop alive: process._getActiveHandles() lists them all then.
static Napi::Value WithAllReferenced(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) return ThrowType(info.Env(), "a function is expected");
  std::vector<uv_handle_t*> unreferenced;
  uv_walk(
      LoopOf(info.Env()),
      [](uv_handle_t* handle, void* argument) {
        if (uv_has_ref(handle) != 0 || uv_is_closing(handle) != 0) return;
        static_cast<std::vector<uv_handle_t*>*>(argument)->push_back(handle);
        uv_ref(handle);
      },
      &unreferenced);
  const Napi::Value result = info[0].As<Napi::Function>().Call({});
  for (uv_handle_t* handle : unreferenced) uv_unref(handle);
  return result;
}

// Calls a function that closes listening Unix sockets, and leaves their files: libuv removes them, and they lead to the
// parent's sockets.
static Napi::Value WithPathsKept(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) return ThrowType(info.Env(), "a function is expected");
  using Named = std::pair<uv_pipe_t*, const char*>;
  std::vector<Named> named;
  uv_walk(
      LoopOf(info.Env()),
      [](uv_handle_t* handle, void* argument) {
        if (handle->type != UV_NAMED_PIPE) return;
        auto* pipe = reinterpret_cast<uv_pipe_t*>(handle);
        static_cast<std::vector<Named>*>(argument)->emplace_back(pipe, pipe->pipe_fname);
        pipe->pipe_fname = nullptr;
      },
      &named);
  const Napi::Value result = info[0].As<Napi::Function>().Call({});
  // What is closed is freed in a later turn of the loop.
  for (const auto& [pipe, name] : named) {
    if (uv_is_closing(reinterpret_cast<uv_handle_t*>(pipe)) == 0) pipe->pipe_fname = name;
  }
  return result;
}

// severStreams(fds): puts a dead end in their place, on which nothing ever comes and writing is EPIPE, without a word
// to those that wait for them. They hold the loop no more.
static Napi::Value SeverStreams(const Napi::CallbackInfo& info) {
  std::vector<int> fds;
  if (!ReadInts(info[0], &fds)) return info.Env().Undefined();
  // The other end stays open for good: closed, it would be an end of file here. No SOCK_STREAM, so that it can be told
  // from pipes to children when this process forks.
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == -1) {
    return ThrowErrno(info.Env(), errno, "socketpair");
  }
  shutdown(pair[0], SHUT_WR);
  uv_loop_t* const loop = LoopOf(info.Env());
  std::vector<Stream> streams;
  uv_walk(
      loop,
      [](uv_handle_t* handle, void* argument) {
        int fd = -1;
        if (IsStream(handle) && uv_fileno(handle, &fd) == 0) {
          static_cast<std::vector<Stream>*>(argument)->push_back({reinterpret_cast<uv_stream_t*>(handle), fd, nullptr});
        }
      },
      &streams);
  int error = 0;
  for (const Stream& stream : streams) {
    if (std::count(fds.begin(), fds.end(), stream.fd) == 0) continue;
    uv_read_stop(stream.handle);
    uv_unref(reinterpret_cast<uv_handle_t*>(stream.handle));
    // The entry belongs to the file, which the parent has open too, and would outlive this descriptor. libuv believes
    // that there is one: it aborts when it can't change it.
    const int epoll = uv_backend_fd(loop);
    const bool registered = epoll_ctl(epoll, EPOLL_CTL_DEL, stream.fd, nullptr) == 0;
    if (dup3(pair[0], stream.fd, O_CLOEXEC) == -1) error = errno;
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.fd = stream.fd;
    if (registered && epoll_ctl(epoll, EPOLL_CTL_ADD, stream.fd, &event) == -1) error = errno;
  }
  close(pair[0]);
  if (error != 0) return ThrowErrno(info.Env(), error, "epoll_ctl");
  return info.Env().Undefined();
}

void RegisterLoopStreams(Napi::Env env, Napi::Object exports) {
  exports.Set("loopStreams", Napi::Function::New<LoopStreams>(env, "loopStreams"));
  exports.Set("withAllReferenced", Napi::Function::New<WithAllReferenced>(env, "withAllReferenced"));
  exports.Set("withPathsKept", Napi::Function::New<WithPathsKept>(env, "withPathsKept"));
  exports.Set("severStreams", Napi::Function::New<SeverStreams>(env, "severStreams"));
}

}  // namespace posix_daemon
