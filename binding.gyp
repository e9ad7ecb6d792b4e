{
  "targets": [
    {
      "target_name": "posix_daemon",
      "sources": [
        "native/addon.cc",
        "native/errors.cc",
        "native/descriptor.cc",
        "native/exec.cc",
        "native/fork/arch.cc",
        "native/fork/descriptors.cc",
        "native/fork/fork.cc",
        "native/fork/io_uring.cc",
        "native/fork/live_fork.cc",
        "native/fork/mappings.cc",
        "native/fork/memory.cc",
        "native/fork/owners.cc",
        "native/fork/rest.cc",
        "native/fork/survey.cc",
        "native/fork/threads.cc",
        "native/limits.cc",
        "native/prctl.cc",
        "native/runtime_descriptors.cc",
        "native/session.cc",
        "native/signals.cc",
        "native/title.cc",
        "native/user_pipes.cc",
        "native/wait.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      # Node-API 9 (Node 18.17, 20.3): one binary serves every supported Node.
      "defines": ["NAPI_VERSION=9", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED", "_GNU_SOURCE"],
      "cflags": ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-fvisibility=hidden", "-O2"],
      "cflags_cc": ["-std=c++17", "-fno-exceptions", "-fno-rtti"],
      "ldflags": ["-Wl,-z,relro,-z,now"]
    }
  ]
}
